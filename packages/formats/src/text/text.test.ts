import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { byteStringOf } from "../base/bytes.ts";
import { parseFlakeLock, printFlakeLock } from "./flake-lock.ts";
import { parseJson, printJson } from "./json.ts";
import { parseNixConf } from "./nix-conf.ts";

describe("JSON", () => {
  it("reads what JavaScript writes, and prints it with sorted keys", () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
        const text = byteStringOf(JSON.stringify(value).replaceAll("__proto__", "proto"));
        const printed = printJson(parseJson(text));
        expect(printJson(parseJson(printed))).toBe(printed);
        expect(printJson(parseJson(printJson(parseJson(text), { indent: 2 })))).toBe(printed);
      }),
    );
  });

  it("keeps numbers as written", () => {
    expect(printJson(parseJson('{"b":1.0,"a":18446744073709551615}'))).toBe('{"a":18446744073709551615,"b":1.0}');
  });

  it("refuses what is not JSON and nesting without end", () => {
    for (const text of ["", "{", "[1,]", '"\\x"', "01", "nul", "1 2", '"\\ud800"']) {
      expect(() => parseJson(text), text).toThrow(/\[json\.exception\.parse_error|of JSON text/);
    }
    expect(() => parseJson("[".repeat(100_000))).toThrow("nested too deeply");
  });
});

describe("nix.conf", () => {
  it("reads settings, comments and includes", () => {
    const settings = parseNixConf(
      "a = 1  2 # x\n\ninclude b.conf\n!include gone\nc =\n",
      "/etc/nix/nix.conf",
      (path) => (path === "b.conf" ? { path: "/etc/nix/b.conf", text: "b = 2" } : undefined),
    );
    expect(settings).toEqual([
      { name: "a", value: "1 2", file: "/etc/nix/nix.conf", line: 1 },
      { name: "b", value: "2", file: "/etc/nix/b.conf", line: 1 },
      { name: "c", value: "", file: "/etc/nix/nix.conf", line: 5 },
    ]);
  });

  it("names bad lines and missing includes", () => {
    const none = () => undefined;
    expect(() => parseNixConf("a b", "/f", none)).toThrow("syntax error in configuration line 'a b' in \"/f\"");
    expect(() => parseNixConf("include x", "/f", none)).toThrow('file "x" included from "/f" not found');
    const endless = () => ({ path: "/f", text: "include f" });
    expect(() => parseNixConf("include f", "/f", endless)).toThrow("nested too deeply");
  });
});

describe("flake.lock", () => {
  const text = `{
  "nodes": {
    "a": {
      "flake": false,
      "inputs": {
        "x": [
          "a",
          "b"
        ]
      },
      "locked": {
        "lastModified": 1,
        "type": "path"
      },
      "original": {
        "type": "path"
      }
    },
    "root": {
      "inputs": {
        "a": "a"
      }
    }
  },
  "root": "root",
  "version": 7
}
`;
  it("prints what it read, byte for byte", () => {
    expect(printFlakeLock(parseFlakeLock(text, "flake.lock"))).toBe(text);
  });

  it("refuses unknown versions and edges to nowhere", () => {
    expect(() => parseFlakeLock(text.replace('"version": 7', '"version": 8'), "l")).toThrow(
      "has unsupported version 8",
    );
    expect(() => parseFlakeLock(text.replace('"a": "a"', '"a": "b"'), "l")).toThrow("references missing node 'b'");
  });
});
