import fc from "fast-check";
import { expect, test } from "vitest";
import { inputFromUrl, inputToUrl, showInput } from "./input-forms.ts";
import { parseUrl, percentDecode, percentEncode, printUrl } from "./url.ts";

test("prints what it parses", () => {
  for (const text of [
    "github:NixOS/nixpkgs/nixos-26.05?dir=a/b",
    "git+file:///tmp/r?ref=refs/heads/main&rev=0ecd3be6b84baa50724f5e44d3d9628b7b40a882",
    "path:./sub",
    "https://example.org:8080/a%20b.tar.gz?x=1",
  ]) {
    expect(printUrl(parseUrl(text))).toBe(text);
  }
});

test("decoding undoes encoding", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const bytes = text.replace(/[^\x00-\xff]/g, "?");
      expect(percentDecode(percentEncode(bytes, ""))).toBe(bytes);
    }),
  );
});

test("rejects what is no URL", () => {
  for (const text of ["no scheme", "http//x", "a:%zz", "1a:b"]) expect(() => inputFromUrl(text, true)).toThrow();
});

test("inputs survive the way to a URL and back", () => {
  for (const text of [
    "github:o/r",
    "github:o/r/main",
    "gitlab:o/r?host=git.example.org",
    "git+https://example.org/r?ref=main&shallow=1&submodules=1",
    "path:/a/b?lastModified=1&narHash=sha256-ziEVinUR30Nphl6ZWWe5FYAM8skd42soCr1MS0suR8k%3D",
    "https://example.org/x.tar.gz?narHash=sha256-ziEVinUR30Nphl6ZWWe5FYAM8skd42soCr1MS0suR8k%3D",
    "flake:nixpkgs/nixos-26.05",
  ]) {
    const input = inputFromUrl(text, true);
    expect(showInput(input)).toBe(text);
    expect(inputFromUrl(inputToUrl(input), true)).toEqual(input);
  }
});

test("the kind of a file is not part of the URL that is shown", () => {
  for (const kind of ["tarball", "file"]) {
    for (const url of ["https://example.org/x", "https://example.org/x.tar.gz"])
      expect(showInput(inputFromUrl(`${kind}+${url}`, true))).toBe(url);
  }
});

test("refuses references that could be mistaken for options or paths", () => {
  for (const text of [
    "github:o/r/-x",
    "github:o/r/a..b",
    "github:o/r?rev=xyz",
    "github:o",
    "path://host/x",
    "path:/x?foo=1",
  ]) {
    expect(() => inputFromUrl(text, true)).toThrow();
  }
});

test("refuses null bytes by name, however they are written", () => {
  for (const text of ["path:/x%00y", "github:o%00/r", "git+file:///x?ref=a%00b", "path:/x?dir=%00"]) {
    expect(() => inputFromUrl(text, true)).toThrow("contains a null byte");
  }
});
