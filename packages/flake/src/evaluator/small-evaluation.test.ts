import { loadSettings } from "@firn/store";
import { afterEach, describe, expect, it } from "vitest";
import { EvaluatorClient } from "./client.ts";
import { hostConfig } from "./host-config.ts";
import type { Handle } from "./protocol.ts";
import type { HostServices } from "./services.ts";
import { SmallEvaluation } from "./small-evaluation.ts";

const environment = { NIX_CONFIG: "", HOME: "/nowhere", FIRN_CODE_CACHE: "" };
const clients: EvaluatorClient[] = [];

const config = hostConfig(loadSettings(environment), { environment, cwd: "/" }, { includes: [], readOnly: false });

/** A client, what it reported, and the derivations that it had written. */
function open(): { client: EvaluatorClient; reported: string[]; written: string[] } {
  const reported: string[] = [];
  const written: string[] = [];
  const services: Partial<HostServices> = {
    writeDerivations: async (requests) => void written.push(...requests.map(({ name }) => name)),
  };
  const client = new EvaluatorClient({
    config,
    services: services as HostServices,
    report: (message) => reported.push(message.text),
  });
  clients.push(client);
  return { client, reported, written };
}

async function print(client: EvaluatorClient, text: string): Promise<string> {
  const value = await client.request({ op: "evaluate", source: { kind: "string", text, directory: "/" } });
  return client.request({ op: "print", value, form: { kind: "json" } });
}

const long = "builtins.foldl' (a: b: a + b) 0 (builtins.genList (x: x) 3000000)";

afterEach(async () => {
  for (const client of clients.splice(0)) await client.close();
});

describe("The thread of a command", () => {
  it.each([
    ["1 + 1", true],
    ['(builtins.tryEval (throw "x")).success', true],
    [long, false],
    ["let f = n: l: if n == 0 then builtins.length l else f (n - 1) (l ++ l); in f 25 [ 1 ]", false],
    ['throw "x"', false],
    ["let f = n: if n == 0 then 0 else 1 + f (n - 1); in f 9000", false],
    ['(derivation { name = "x"; system = "s"; builder = "b"; }).drvPath', false],
    ['builtins.toFile "x" "y"', false],
    ['builtins.exec [ "touch" "/nowhere" ]', false],
    ["1 +", false],
  ])("takes on %s: %s", async (text, taken) => {
    const mode = { ...config.mode, allowNativeCode: true };
    const small = await SmallEvaluation.open({ config: { ...config, mode }, services: true, flakes: true });
    const answer = small.answer({ op: "evaluate", source: { kind: "string", text, directory: "/" } });
    const value = answer?.value as Handle;
    const printed = answer && small.answer({ op: "print", value, form: { kind: "json" } });
    expect(printed !== undefined).toBe(taken);
  });
});

it("leaves a repl's variables to the evaluator's thread, with all that follows", async () => {
  const small = await SmallEvaluation.open({ config, services: true, flakes: true });
  expect(small.answer({ op: "newVariables", directory: "/" })).toBeUndefined();
});

describe("An evaluation that starts in the thread of its command", () => {
  it("is done there when it is small", async () => {
    const { client, reported } = open();
    expect(await print(client, 'builtins.trace "seen" (1 + 1)')).toBe("2");
    expect(reported).toEqual(["seen"]);
  });

  it("is begun anew when it takes long, and reports everything once", async () => {
    const { client, reported } = open();
    expect(await print(client, 'builtins.trace "small" 1')).toBe("1");
    expect(await print(client, `builtins.trace "before" (builtins.seq (${long}) (builtins.trace "after" 2))`)).toBe(
      "2",
    );
    expect(await print(client, 'builtins.trace "again" 3')).toBe("3");
    expect(reported).toEqual(["small", "before", "after", "again"]);
  });

  it("keeps the values it gave before", async () => {
    const { client } = open();
    const source = { kind: "string" as const, text: "{ a = 1; b = 2; }", directory: "/" };
    const [first, second] = await Promise.all([
      client.request({ op: "evaluate", source }),
      client.request({ op: "evaluate", source: { ...source, text: long } }),
    ]);
    const selected = await client.request({ op: "select", value: first, path: "b", autoArgs: {} });
    expect(await client.request({ op: "print", value: selected, form: { kind: "json" } })).toBe("2");
    expect(await client.request({ op: "print", value: second, form: { kind: "json" } })).toBe("4499998500000");
  });

  it("fails as it would in the other", async () => {
    const { client, reported } = open();
    const failing = print(client, 'builtins.trace "seen" (1 + (x: x.y) { z = 1; })');
    await expect(failing).rejects.toMatchObject({ code: "eval-error", message: "attribute 'y' missing" });
    expect(reported).toEqual(["seen"]);
    await expect(print(client, "let f = x: 1 + f x; in f 1")).rejects.toMatchObject({ code: "stack-overflow" });
  });

  it("has more stack than there is here", async () => {
    const { client } = open();
    expect(await print(client, "let f = n: if n == 0 then 0 else 1 + f (n - 1); in f 9000")).toBe("9000");
  });

  it("asks its services once", async () => {
    const { client, written } = open();
    const drv = '(derivation { name = "x"; system = "s"; builder = "b"; }).drvPath';
    expect(await print(client, drv)).toMatch(/^"\/nix\/store\/[0-9a-z]{32}-x\.drv"$/);
    expect(written).toEqual(["x"]);
  });

  it("goes on in the other when there are many requests", async () => {
    const { client, reported } = open();
    const texts = Array.from({ length: 40 }, (_, i) => `builtins.trace "${i}" ${i}`);
    for (const [i, text] of texts.entries()) expect(await print(client, text)).toBe(String(i));
    expect(reported).toEqual(texts.map((_, i) => String(i)));
  });
});
