/** `firn os option` and `firn os repl`, over a small configuration of its own and over the modules that come with Firn. */
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makePlace, type Outcome, type Place } from "../support/run-firn.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
let place: Place;
let directory: string;

beforeAll(() => {
  place = makePlace();
  directory = join(place.directory, "work", "configuration");
  mkdirSync(directory);
  writeFileSync(
    join(directory, "options.nix"),
    `{ lib, ... }:
{
  options.web = {
    enable = lib.mkEnableOption "the {option}\`web\` server";
    port = lib.mkOption {
      type = lib.types.port;
      description = "Where it listens.";
      example = 8080;
    };
    hosts = lib.mkOption {
      description = "Sites by name.";
      default = { };
      type = lib.types.attrsOf (lib.types.submodule {
        options.root = lib.mkOption {
          type = lib.types.path;
          description = "Directory of a site.";
          defaultText = lib.literalExpression "its own";
        };
      });
    };
    secret = lib.mkOption { internal = true; default = 1; };
    make = lib.mkOption { type = lib.types.functionTo lib.types.int; default = x: x; description = "A function."; };
  };
}
`,
  );
  writeFileSync(
    join(directory, "configuration.nix"),
    `{ lib, ... }:
{
  imports = [ ./options.nix ];
  web.enable = lib.mkForce true;
  web.hosts."a.b" = {
    root = "/srv";
  };
}
`,
  );
  writeFileSync(
    join(directory, "default.nix"),
    `(import ${join(root, "os/lib")}).evalModules { modules = [ ./configuration.nix ]; }\n`,
  );
});
afterAll(() => place.remove());

const option = (...words: string[]): Promise<Outcome> => place.firn("os", "option", "--file", directory, ...words);
const shown = async (...words: string[]): Promise<string> => {
  const { code, out, err } = await option(...words);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  return out.replaceAll(directory, "DIR");
};

describe("a name", () => {
  test("shows value, default, type, example, description and places", async () => {
    expect(await shown("web.enable")).toBe(`Name:
  web.enable

Value:
  true

Default:
  false

Type:
  boolean

Example:
  true

Description:
  Whether to enable the web server.

Declared by:
  DIR/options.nix:4

Defined by:
  DIR/configuration.nix:4
`);
  });
  test("shows the error of a value that cannot be evaluated", async () => {
    expect(await shown("web.port")).toContain(
      "Value:\n  error: The option `web.port' was accessed but has no value defined. Try setting the option.\n",
    );
  });
  test("of an instance of a submodule shows its value and where it is defined", async () => {
    const out = await shown('web.hosts."a.b".root');
    expect(out).toContain('Name:\n  web.hosts."a.b".root\n\nValue:\n  "/srv"\n\nDefault:\n  its own\n');
    expect(out).toContain("Declared by:\n  DIR/options.nix:14\n\nDefined by:\n  DIR/configuration.nix:6\n");
  });
  test("of a submodule without that instance shows what is declared", async () => {
    const out = await shown("web.hosts.other.root");
    expect(out).toContain("Description:\n  Directory of a site.\n");
    expect(out).not.toContain("Value:");
  });
  test("of a set lists its members", async () => {
    expect(await shown("web")).toBe("This attribute set contains:\nenable\nhosts\nmake\nport\nsecret\n");
  });
  test("as JSON", async () => {
    expect(JSON.parse(await shown("--json", "web.hosts"))).toMatchObject({
      name: "web.hosts",
      type: "attribute set of (submodule)",
      value: { "a.b": { root: "/srv" } },
      default: { text: "{ }" },
      declarations: [{ file: "DIR/options.nix", line: 10 }],
      definitions: [{ file: "DIR/configuration.nix", line: 5 }],
    });
    expect(JSON.parse(await shown("--json", "web.make"))).not.toHaveProperty("value");
  });
});

test("a flake's files are named where they lie, not by the copy that is evaluated", async () => {
  const flake = join(place.directory, "work", "flake");
  cpSync(directory, flake, { recursive: true });
  cpSync(join(root, "os/lib"), join(flake, "lib"), { recursive: true });
  writeFileSync(
    join(flake, "flake.nix"),
    "{ outputs = { self }: { nixosConfigurations.m = (import ./lib).evalModules { modules = [ ./configuration.nix ]; }; }; }\n",
  );
  const { out, err } = await place.firn("os", "option", "--flake", `path:${flake}#m`, "web.enable");
  expect(err).not.toContain("error");
  expect(out).toContain(`Declared by:\n  ${flake}/options.nix:4\n\nDefined by:\n  ${flake}/configuration.nix:4\n`);
  const repl = await enter(
    ["--flake", `path:${flake}#m`],
    ["config.web.enable", "flake.nixosConfigurations.m.config.web.make 5"],
  );
  expect(repl.err).toContain(`Loading installable 'path:${flake}#nixosConfigurations."m"'...\nAdded `);
  expect(repl.out).toEqual(["true", "5"]);
});

/** Enters lines in `firn os repl`; returns what they print, without prompts and colours. */
async function enter(args: string[], lines: string[]): Promise<{ readonly out: string[]; readonly err: string }> {
  const input = lines.map((line) => `${line}\n`).join("");
  const { out, err } = await place.firnWith({ input, env: { NO_COLOR: "1" } }, "os", "repl", ...args);
  const printed = out.split("\n").filter((line) => line !== "" && !line.startsWith("nix-repl> "));
  return { out: printed, err };
}

test("the repl has values and options of a configuration, what its modules are given, and reads them anew", async () => {
  const { out, err } = await enter(
    ["--file", directory],
    ['config.web.hosts."a.b".root', "options.web.port.type.name", "moduleType ? check", ":r", "config.web.enable"],
  );
  expect(err).toContain("Added ");
  expect(out).toEqual(['"/srv"', '"unsignedInt16"', "true", "true"]);
});

describe("a pattern", () => {
  test("is looked for in names and descriptions", async () => {
    expect(await shown("site")).toBe("web.hosts\n  Sites by name.\nweb.hosts.<name>.root\n  Directory of a site.\n");
  });
  test("with an asterisk has to fit the whole name", async () => {
    expect(await shown("web.*e")).toBe("web.enable\n  Whether to enable the `web` server.\nweb.make\n  A function.\n");
  });
  test("that nothing answers is an error with the nearest name", async () => {
    const { code, err } = await option("web.prt");
    expect(code).toBe(1);
    expect(err).toContain("there is no option 'web.prt', and none whose name or description has it");
    expect(err).toContain("Did you mean web.port?");
  });
});

describe("the modules that come with Firn", () => {
  test("have a description for every option", async () => {
    const { code, out } = await place.firn("os", "option", "--no-configuration", "--json");
    expect(code).toBe(0);
    const options = JSON.parse(out) as { name: string; description: string }[];
    expect(options.length).toBeGreaterThan(200);
    expect(options.filter(({ description }) => description === "").map(({ name }) => name)).toEqual([]);
  });
});
