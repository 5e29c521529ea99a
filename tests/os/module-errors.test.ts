/** What os/lib does beyond nixpkgs' lib: errors with places, and properties nested in any way. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { FirnError } from "@firn/formats";
import { evaluate, toPlain } from "@firn/language";
import { describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const library = Object.fromEntries(
  readdirSync(join(root, "os/lib"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".nix"))
    .map((name) => [`/os/lib/${name}`, readFileSync(join(root, "os/lib", name), "utf8")]),
);

const OPTIONS = `{ lib, ... }:
{
  options.web = {
    enable = lib.mkEnableOption "the web";
    port = lib.mkOption {
      type = lib.types.port;
    };
    tags = lib.mkOption {
      type = lib.types.listOf lib.types.str;
      default = [ ];
    };
    hosts = lib.mkOption {
      type = lib.types.attrsOf (lib.types.submodule { options.root = lib.mkOption { type = lib.types.path; }; });
      default = { };
    };
  };
}
`;

/** The value of `attribute` in a configuration of modules that lie in /c, named m1.nix, m2.nix, … after the one with options. */
function configured(attribute: string, ...modules: readonly string[]): unknown {
  const files: Record<string, string> = { ...library, "/c/options.nix": OPTIONS };
  const names = ["/c/options.nix"];
  for (const [index, text] of modules.entries()) {
    const name = `/c/m${index + 1}.nix`;
    files[name] = text;
    names.push(name);
  }
  const expression = `((import /os/lib).evalModules { modules = [ ${names.join(" ")} ]; }).config.${attribute}`;
  return toPlain(evaluate(expression, { files }));
}
function failure(attribute: string, ...modules: readonly string[]): string {
  try {
    configured(attribute, ...modules);
  } catch (error) {
    if (error instanceof FirnError) return error.message;
    throw error;
  }
  throw new Error("it does not fail");
}

describe("errors", () => {
  test("name every unknown option with file, line and the nearest one", () => {
    expect(failure("web.enable", "{\n  web.prot = 80;\n  web.enabled = true;\n}\n", "{ webs = 1; }\n")).toBe(
      [
        "The option `web.enabled' does not exist. Definition values:",
        "- In `/c/m1.nix:3': true",
        "",
        "Did you mean `web.enable'?",
        "",
        "2 more options do not exist:",
        "- `web.prot' in `/c/m1.nix:2'; did you mean `web.port'?",
        "- `webs' in `/c/m2.nix:1'; did you mean `web'?",
      ].join("\n"),
    );
  });
  test("show all definitions of an unknown option", () => {
    expect(failure("web.enable", "{ web.prt = 80; }", "\n{ web.prt = 81; }")).toBe(
      [
        "The option `web.prt' does not exist. Definition values:",
        "- In `/c/m2.nix:2': 81",
        "- In `/c/m1.nix:1': 80",
        "",
        "Did you mean `web.port'?",
      ].join("\n"),
    );
  });
  test("name an unknown option before what fails inside its value", () => {
    expect(failure("web.enable", '{ player = { package = { }.missing; enable = true; }; x = [ (throw "no") ]; }')).toBe(
      [
        "The option `player' does not exist. Definition values:",
        "- In `/c/m1.nix:1': { enable = ...; package = ...; }",
        "",
        "Another option does not exist:",
        "- `x' in `/c/m1.nix:1'",
      ].join("\n"),
    );
  });
  test("list all unknown options", () => {
    const many = Array.from({ length: 12 }, (_, i) => `unknown${i} = ${i};`).join(" ");
    expect(failure("web.enable", `{ ${many} }`).match(/^- `unknown/gm)).toHaveLength(11);
  });
  test("show every definition of a wrong type, those in conditions too", () => {
    expect(
      failure(
        "web.port",
        '{ lib, ... }:\nlib.mkIf true {\n  web.port = "80";\n}\n',
        "{\n\n  web = { port = 70000; };\n}\n",
      ),
    ).toBe(
      [
        "A definition for option `web.port' is not of type `16 bit unsigned integer; between 0 and 65535 (both inclusive)'. Definition values:",
        "- In `/c/m2.nix:3': 70000",
        '- In `/c/m1.nix:3\': "80"',
      ].join("\n"),
    );
  });
  test("show both sides of a conflict", () => {
    expect(failure("web.port", "{ web.port = 80; }", "{\n  web.port = 81;\n}")).toBe(
      [
        "The option `web.port' has conflicting definition values:",
        "- In `/c/m2.nix:2': 81",
        "- In `/c/m1.nix:1': 80",
        "Use `lib.mkForce value` or `lib.mkDefault value` to change the priority on any of these definitions.",
      ].join("\n"),
    );
  });
  test("give the place inside an attribute set of submodules", () => {
    expect(failure('web.hosts."a.b".root', '{\n  web.hosts."a.b" = {\n    root = "here";\n  };\n}\n')).toBe(
      [
        "A definition for option `web.hosts.\"a.b\".root' is not of type `absolute path'. Definition values:",
        '- In `/c/m1.nix:3\': "here"',
      ].join("\n"),
    );
  });
  test("name both places and types of an option that is declared twice", () => {
    expect(
      failure("web.port", "{ lib, ... }:\n{\n  options.web.port = lib.mkOption { type = lib.types.str; };\n}\n"),
    ).toBe(
      [
        "The option `web.port' in `/c/options.nix' is already declared in `/c/m1.nix'.",
        "Declarations:",
        "- In `/c/m1.nix:3': string",
        "- In `/c/options.nix:5': 16 bit unsigned integer; between 0 and 65535 (both inclusive)",
      ].join("\n"),
    );
  });
  test("cut long values and do not show what cannot be evaluated", () => {
    expect(failure("web.port", "{ web.port = [ 1 2 3 4 5 6 ]; }", '{ web.port = { a = throw "no"; }; }')).toBe(
      [
        "A definition for option `web.port' is not of type `16 bit unsigned integer; between 0 and 65535 (both inclusive)'. Definition values:",
        "- In `/c/m2.nix:1'",
        "- In `/c/m1.nix:1':",
        "    [",
        "      1",
        "      2",
        "      3",
        "      4",
        "    ...",
      ].join("\n"),
    );
  });
  test("say that an option has no value", () => {
    expect(failure("web.port")).toBe(
      "The option `web.port' was accessed but has no value defined. Try setting the option.",
    );
  });
  test("tell mixed module syntax", () => {
    expect(failure("web.port", "{ config = { }; web.port = 80; }")).toBe(
      "Module `/c/m1.nix' has an unsupported attribute `web'. This is caused by introducing a top-level `config' or `options' attribute. Add configuration attributes immediately on the top level instead, or move all of them (namely: web) into the explicit `config' attribute.",
    );
  });
  test("reject an override inside an order", () => {
    expect(failure("web.tags", '{ lib, ... }: { web.tags = lib.mkBefore (lib.mkForce [ "a" ]); }')).toBe(
      "In `/c/m1.nix': mkOverride (mkForce, mkDefault) must be around mkOrder (mkBefore, mkAfter), not inside it.",
    );
  });
});

describe("properties", () => {
  const tags = (text: string): unknown =>
    configured("web.tags", `{ lib, ... }: with lib; { web.tags = ${text}; }`, '{ web.tags = [ "b" ]; }');
  test("inside mkForce are resolved", () => {
    expect(tags('mkForce (mkMerge [ [ "a" ] (mkIf false [ "c" ]) (mkBefore [ "d" ]) ])')).toEqual(["d", "a"]);
  });
  test("count for nothing when the condition inside mkForce is off", () => {
    expect(tags('mkForce (mkIf false [ "a" ])')).toEqual(["b"]);
  });
  test("of two overrides around one value the outer counts", () => {
    expect(tags('mkForce (mkDefault [ "a" ])')).toEqual(["a"]);
  });
  test("may wrap a whole module", () => {
    expect(
      configured("web.port", "{ lib, ... }: lib.mkMerge [ { web.port = 80; } (lib.mkIf false { web.port = 81; }) ]"),
    ).toBe(80);
  });
});
