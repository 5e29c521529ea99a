import net from "node:net";
import os from "node:os";
import path from "node:path";
import type { wire } from "@firn/formats";
import {
  type FirnEvent,
  groupName,
  makeTemporaryDirectory,
  type PeerCredentials,
  peerCredentials,
  removeDirectory,
  Settings,
  userName,
} from "@firn/store";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { applyClientOptions } from "./client-settings.ts";
import { admitClient } from "./clients.ts";

let directory: string;
beforeAll(() => {
  directory = makeTemporaryDirectory("firn-clients-");
});
afterAll(() => removeDirectory(directory));

test("the kernel tells who is at the other end of a socket", async () => {
  const socket = path.join(directory, "socket");
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  const accepted = new Promise<net.Socket>((resolve) => server.once("connection", resolve));
  const client = net.connect(socket);
  expect(peerCredentials(await accepted)).toEqual({
    pid: process.pid,
    uid: process.getuid?.(),
    gid: process.getgid?.(),
  });
  client.destroy();
  (await accepted).destroy();
  server.close();
});

test("users and groups have the names of the machine", () => {
  expect(userName(0)).toBe("root");
  expect(groupName(0)).toBe("root");
  expect(userName(os.userInfo().uid)).toBe(os.userInfo().username);
  expect(userName(3_999_999_999)).toBeUndefined();
});

function settingsWith(text: Readonly<Record<string, string>>): Settings {
  const settings = new Settings();
  for (const [name, value] of Object.entries({ "build-users-group": "nixbld", ...text })) settings.set(name, value);
  return settings;
}

describe("who is let in", () => {
  const nobody: PeerCredentials = { pid: 1, uid: 3_999_999_999, gid: 3_999_999_998 };
  const root: PeerCredentials = { pid: 1, uid: 0, gid: 0 };
  test.each([
    ["everybody by default, without trust", nobody, {}, "untrusted"],
    ["root, who owns the daemon", root, {}, "owner"],
    ["a trusted user by its name, who does not own it", nobody, { "trusted-users": "3999999999" }, "trusted"],
    ["a trusted group", nobody, { "trusted-users": "@3999999998" }, "trusted"],
    ["a group that is not his", nobody, { "trusted-users": "@root" }, "untrusted"],
    ["all, when all are trusted", nobody, { "trusted-users": "*" }, "trusted"],
    ["a trusted user who is not allowed", nobody, { "trusted-users": "3999999999", "allowed-users": "" }, "trusted"],
    ["a client of whom nothing is known, where all are allowed", undefined, {}, "untrusted"],
  ] as const)("%s", (_what, peer, text, rights) => {
    expect(admitClient(peer, settingsWith(text)).rights).toBe(rights);
  });

  test.each([
    ["who is not named", nobody, { "allowed-users": "root @root" }, "user '3999999999'"],
    ["of whom nothing is known", undefined, { "allowed-users": "root" }, "user '<unknown>'"],
    ["in the group of the builders", nobody, { "build-users-group": "3999999998" }, "user '3999999999'"],
  ] as const)("nobody %s", (_what, peer, text, user) => {
    expect(() => admitClient(peer, settingsWith(text))).toThrow(`${user} is not allowed to connect to the Nix daemon`);
  });
});

describe("settings of clients", () => {
  const options = (overrides: Readonly<Record<string, string>>): wire.WireValue<typeof wire.clientOptions> => ({
    keepFailed: true,
    keepGoing: true,
    tryFallback: true,
    verbosity: 4,
    maxBuildJobs: 7,
    maxSilentTime: 8,
    verboseBuild: true,
    buildCores: 9,
    useSubstitutes: false,
    overrides: new Map(Object.entries(overrides)),
  });
  const applied = (rights: "untrusted" | "trusted" | "owner", overrides: Readonly<Record<string, string>>) => {
    const settings = settingsWith({ substituters: "https://one/", "trusted-substituters": "https://two/" });
    const events: FirnEvent[] = [];
    applyClientOptions(settings, options(overrides), { rights, events: (event) => void events.push(event) });
    return { settings, warnings: events.map((event) => (event.kind === "message" ? event.text : "")) };
  };

  test("of everybody: those about how the client's own builds go", () => {
    const { settings, warnings } = applied("untrusted", { timeout: "3", builders: "", "experimental-features": "x" });
    expect(settings.get("keep-failed")).toBe(true);
    expect(settings.get("max-jobs")).toBe(7);
    expect(settings.get("cores")).toBe(9);
    expect(settings.get("substitute")).toBe(false);
    expect(settings.get("timeout")).toBe(3);
    expect(settings.get("experimental-features")).toEqual([]);
    expect(warnings).toEqual([]);
  });

  test("of everybody: known caches and no others", () => {
    const { settings, warnings } = applied("untrusted", { substituters: "https://two https://three/ https://one/" });
    expect(settings.get("substituters")).toEqual(["https://two", "https://one/"]);
    expect(warnings).toEqual([expect.stringContaining("ignoring untrusted substituter 'https://three/'")]);
  });

  test.each([
    "sandbox",
    "extra-sandbox-paths",
    "post-build-hook",
    "require-sigs",
    "extra-trusted-public-keys",
    "build-hook",
  ])("%s of the owner alone", (name) => {
    const value = name === "sandbox" || name === "require-sigs" ? "false" : "changed=yes";
    const setting = name.replace("extra-", "") as "sandbox";
    for (const rights of ["untrusted", "trusted"] as const) {
      const { settings, warnings } = applied(rights, { [name]: value });
      expect(settings.textOf(setting)).not.toContain(value);
      expect(warnings).toEqual([expect.stringContaining(`ignoring the client-specified setting '${name}'`)]);
    }
    const { settings, warnings } = applied("owner", { [name]: value });
    expect(settings.textOf(setting)).toContain(value);
    expect(warnings).toEqual([]);
  });

  test.each([
    ["ssh://one x86_64-linux - 2; two", true],
    ["ssh-ng://one\nuser@two # a machine", true],
    ["@/root/secret", false],
    ["ssh://one; /srv/store", false],
    ["local?root=/", false],
    ["daemon", false],
    ["unix:///run/socket", false],
  ])("of trusted users: builders %s", (value, taken) => {
    const { settings, warnings } = applied("trusted", { builders: value });
    expect([settings.get("builders") === value, warnings.length]).toEqual([taken, taken ? 0 : 1]);
    expect(applied("owner", { builders: value }).settings.get("builders")).toBe(value);
  });

  test("of trusted users: others as well", () => {
    expect(applied("trusted", { "keep-outputs": "true" }).settings.get("keep-outputs")).toBe(true);
    expect(applied("untrusted", { "keep-outputs": "true" }).settings.get("keep-outputs")).toBe(false);
  });
});
