import { describe, expect, test } from "vitest";
import { parseSshAuthority } from "./ssh-authority.ts";
import { SshStore } from "./ssh-store.ts";

describe("an authority of ssh://", () => {
  test.each([
    ["host", "host", []],
    ["user@host", "user@host", []],
    ["user:password@host:22", "user@host", ["-p", "22"]],
    ["[::1]", "::1", []],
    ["u@[fe80::1]:2222", "u@fe80::1", ["-p", "2222"]],
    ["a%2Db@host", "a-b@host", []],
  ])("%s is taken apart", (text, host, words) => {
    expect(parseSshAuthority(text)).toEqual({ host, words });
  });

  // The messages about '-' and emptiness are the reference's.
  test.each([
    ["", "invalid SSH authority: '': host name must not be empty"],
    ["-oProxyCommand=id", "host name '-oProxyCommand=id' must not start with '-'"],
    ["%2DoProxyCommand=id", "host name '-oProxyCommand=id' must not start with '-'"],
    ["u@-x", "invalid SSH authority: 'u@-x': host name '-x' must not start with '-'"],
    ["-u@h", "invalid SSH authority: '-u@h': user name '-u' must not start with '-'"],
    ["%2Do@h", "user name '-o' must not start with '-'"],
    ["@h", "user name must not be empty"],
    ["h%20x", "host name has a space or a control character"],
    ["h%0aProxyCommand=id", "host name has a space or a control character"],
    ["u%20v@h", "user name has a space or a control character"],
    ["host/path", "it is not of the form 'user@host:port'"],
    ["u:secret@a@c", "invalid SSH authority: 'u@a@c': it is not of the form 'user@host:port'"],
    ["h%zz", "has an escape that is none"],
  ])("%s is refused", (text, message) => {
    expect(() => parseSshAuthority(text)).toThrow(message);
  });

  test.each(["-oProxyCommand=id", "u@-x", "a b", ""])("%j is no host for a store either", (host) => {
    expect(() => new SshStore({ host })).toThrow(expect.objectContaining({ code: "unknown-store" }));
  });
});
