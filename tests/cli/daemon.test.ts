/** `firn daemon`, `nix-daemon`, and what commands say of a daemon's store. Messages are the reference's where it has them. */
import { spawn } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { daemonHere, type TestDaemon } from "../support/daemons.ts";
import { makePlace, type Place } from "../support/run-firn.ts";

let place: Place;
let daemon: TestDaemon | undefined;
beforeEach(() => {
  place = makePlace();
});
afterEach(async () => {
  await daemon?.stop();
  daemon = undefined;
  place.remove();
});

describe("firn daemon", () => {
  it.each(["force-trusted", "force-untrusted", "default-trust"])("--%s needs its feature", async (flag) => {
    const { code, err } = await place.firn("daemon", `--${flag}`);
    expect(code).toBe(1);
    expect(err).toContain(
      "error: experimental Nix feature 'daemon-trust-override' is disabled; add '--extra-experimental-features daemon-trust-override' to enable it",
    );
  });

  it("--process-ops needs its feature, under the old name too", async () => {
    const { code, err } = await place.firn("nix-daemon", "--stdio", "--process-ops");
    expect(code).toBe(1);
    expect(err).toContain("experimental Nix feature 'mounted-ssh-store' is disabled");
  });

  it("does not serve the store of which it is the daemon", async () => {
    const { code, err } = await place.firn("daemon", "--store", "daemon");
    expect(code).toBe(1);
    expect(err).toContain("error: a daemon cannot serve the store 'daemon', which is its own");
  });
});

/** Does as a service manager: opens the socket, and starts the program with it as descriptor 3 when somebody connects. */
const launcher = `
import os, select, socket, sys
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen()
print("listening", flush=True)
select.select([listener], [], [])
os.dup2(listener.fileno(), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1", LISTEN_FDNAMES="socket")
os.execv(sys.argv[2], sys.argv[2:])
`;

import { main } from "../support/program.ts";

describe("a daemon that the service manager starts", () => {
  it("serves those who come to the manager's socket, and leaves that", async () => {
    const socket = `${place.directory}/activated`;
    const words = ["--disable-warning=ExperimentalWarning", main, "daemon", "--store", place.store];
    const service = spawn("python3", ["-c", launcher, socket, process.execPath, ...words], {
      env: { ...place.environment, NIX_DAEMON_SOCKET_PATH: `${place.directory}/own` },
      stdio: ["ignore", "pipe", "ignore"],
    });
    const ended = new Promise((resolve) => service.once("exit", resolve));
    try {
      await new Promise((resolve) => service.stdout.once("data", resolve));
      const url = `unix://${socket}?root=${place.store}`;
      for (const text of ["first", "second"]) {
        writeFileSync(`${place.directory}/${text}`, text);
        const { code, out, err } = await place.firn("store", "add", `${place.directory}/${text}`, "--store", url);
        expect([code, err]).toEqual([0, ""]);
        expect(readFileSync(`${place.store}${out.trim()}`, "utf8")).toBe(text);
      }
    } finally {
      service.kill("SIGTERM");
    }
    expect(await ended).toBe(0);
    expect([existsSync(socket), existsSync(`${place.directory}/own`)]).toEqual([true, false]);
  });
});

describe("commands on a daemon's store", () => {
  const url = (): string => daemon?.url ?? "";

  it("tell whether it trusts the client", async () => {
    daemon = await daemonHere(place.store);
    const name = `unix://${daemon.socket}`;
    expect((await place.firn("store", "info", "--store", url())).err).toBe(
      `Store URL: ${name}\nVersion: 2.34.8\nTrusted: 1\n`,
    );
    const json = await place.firn("store", "info", "--json", "--store", url());
    expect(JSON.parse(json.out)).toEqual({ trusted: true, url: name, version: "2.34.8" });
    expect((await place.firn("config", "check", "--store", url())).out).toContain(
      `[INFO] You are trusted by store uri: ${name}\n`,
    );
    await daemon.stop();
    daemon = await daemonHere(place.store, { rights: "untrusted" });
    const untrusted = await place.firn("store", "info", "--json", "--store", url());
    expect(JSON.parse(untrusted.out)).toMatchObject({ trusted: false });
    expect((await place.firn("config", "check", "--store", url())).out).toContain("You are not trusted by store uri");
  });

  it("add, list and collect", async () => {
    daemon = await daemonHere(place.store);
    const { out } = await place.firnWith({ cwd: place.directory, input: "" }, "store", "add", "work", "--store", url());
    const added = out.trim();
    expect((await place.firn("path-info", "--all", "--store", url())).out).toBe(`${added}\n`);
    expect((await place.firn("nix-store", "-q", "--hash", added, "--store", url())).out).toMatch(/^sha256:/);
    expect((await place.firn("store", "repair", added, "--store", url())).code).toBe(1);
    const gc = await place.firn("store", "gc", "--store", url());
    expect(gc.out + gc.err).toContain("1 store paths deleted");
  });

  it("say which socket cannot be reached", async () => {
    const { code, err } = await place.firn("store", "info", "--store", `unix://${place.directory}/none`);
    expect(code).toBe(1);
    expect(err).toContain(`cannot connect to socket at '${place.directory}/none': No such file or directory`);
  });
});
