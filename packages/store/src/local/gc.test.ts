import { execFileSync, fork, spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { LocalStore, observeSteps, removePath, storeLocation, verifyStore } from "../index.ts";
import { lock, openLockFile } from "../locks/flock.ts";

let root: string;
let store: LocalStore;
const messages: string[] = [];

async function open(): Promise<LocalStore> {
  return LocalStore.open({
    location: storeLocation({ rootDir: path.join(root, "s") }),
    events: (event) => {
      if (event.kind === "message") messages.push(event.text);
    },
  });
}

/** Adds texts in another process, so that this one has no temporary roots for them. */
async function addElsewhere(code: string): Promise<string[]> {
  const file = path.join(root, "child.ts");
  const index = new URL("../index.ts", import.meta.url).pathname;
  fs.writeFileSync(
    file,
    `import { LocalStore, storeLocation } from ${JSON.stringify(index)};
const store = await LocalStore.open({ location: storeLocation({ rootDir: ${JSON.stringify(path.join(root, "s"))} }) });
const result = await (async () => { ${code} })();
await store.close();
process.send(result, () => process.disconnect());`,
  );
  const child = fork(file, { execArgv: [] });
  return new Promise((resolve, reject) => {
    child.on("message", (message) => resolve(message as string[]));
    child.on("exit", (status) => status !== 0 && reject(new Error(`child ended with ${status}`)));
  });
}

beforeEach(async () => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), "firn-gc-"));
  messages.length = 0;
  store = await open();
});

afterEach(async () => {
  await store.close();
  removePath(root);
});

describe("garbage collection", () => {
  it("keeps roots and what they refer to, deletes the rest", async () => {
    const [a, b, c] = (await addElsewhere(
      `const a = await store.addTextToStore("a", "a", []); const b = await store.addTextToStore("b", a, [a]); return [a, b, await store.addTextToStore("c", "c", [])];`,
    )) as [string, string, string];
    const link = path.join(root, "result");
    fs.symlinkSync(b, link);
    await addElsewhere(`return [];`);
    fs.rmSync(link);
    await store.close();
    store = await open();
    const child = await addElsewhere(`return [];`);
    expect(child).toEqual([]);
    fs.symlinkSync(b, link);
    const { addIndirectRoot } = await import("./roots.ts");
    addIndirectRoot(store, link);
    expect([...(await store.findRoots())]).toEqual([[b, new Set([link])]]);
    expect((await store.collectGarbage({ action: "live" })).paths).toEqual([a, b].sort());
    expect((await store.collectGarbage({ action: "dead" })).paths).toEqual([c]);
    const done = await store.collectGarbage({ action: "delete-dead" });
    expect(done.paths).toEqual([c]);
    expect(done.bytesFreed).toBeGreaterThan(0);
    fs.rmSync(link);
    expect((await store.collectGarbage({ action: "delete-dead" })).paths).toEqual([a, b].sort());
    expect(await store.queryAllValidPaths()).toEqual([]);
    expect(fs.readdirSync(store.location.realStoreDir)).toEqual([".links"]);
  });

  it("spares what a running program uses, and not what another chroot store has under the same name", async () => {
    const [a, b] = (await addElsewhere(
      `return [await store.addTextToStore("a", "a", []), await store.addTextToStore("b", "b", [])];`,
    )) as [string, string];
    // One program is started from each store, and has a file of it open.
    const sleep = execFileSync("sh", ["-c", "command -v sleep"], { encoding: "utf8" }).trim();
    const elsewhere = path.join(root, "other", b);
    fs.mkdirSync(path.dirname(elsewhere), { recursive: true });
    fs.copyFileSync(sleep, elsewhere);
    const open = fs.openSync(store.realPath(a), "r");
    const openElsewhere = fs.openSync(elsewhere, "r");
    const running = spawn(elsewhere, ["1000"], { stdio: ["ignore", "ignore", openElsewhere] });
    try {
      await vi.waitFor(() => expect(fs.readlinkSync(`/proc/${running.pid}/exe`)).toBe(elsewhere));
      expect((await store.collectGarbage({ action: "delete-dead" })).paths).toEqual([b]);
      fs.closeSync(open);
      expect((await store.collectGarbage({ action: "delete-dead" })).paths).toEqual([a]);
    } finally {
      running.kill();
      fs.closeSync(openElsewhere);
    }
  });

  it("spares what this process has just added", async () => {
    const a = await store.addTextToStore("a", "a", []);
    expect((await store.collectGarbage({ action: "delete-dead" })).paths).toEqual([]);
    expect(await store.isValidPath(a)).toBe(true);
  });

  it("goes on past what cannot be deleted, tells it, and tries it again the next time", async () => {
    const [a, b, c] = (await addElsewhere(
      `return [await store.addTextToStore("a", "a", []), await store.addTextToStore("b", "b", []), await store.addTextToStore("c", "c", [])];`,
    )) as [string, string, string];
    observeSteps((step, subject) => {
      if (step !== "unlink" || !subject.endsWith("-b")) return;
      throw Object.assign(new Error(`EBUSY: resource busy or locked, unlink '${subject}'`), {
        code: "EBUSY",
        syscall: "unlink",
        path: subject,
      });
    });
    const first = await store.collectGarbage({ action: "delete-dead" });
    observeSteps(undefined);
    expect(first.paths).toEqual([a, c].sort());
    expect(first.failures).toEqual([{ path: b, reason: expect.stringContaining("Device or resource busy") }]);
    expect(first.failures[0]?.reason).toContain(store.realPath(b));
    expect(messages.join("\n")).toContain(`cannot delete '${b}'`);
    expect(await store.isValidPath(b)).toBe(false);
    expect(await store.collectGarbage({ action: "delete-dead" })).toMatchObject({ paths: [b], failures: [] });
  });

  describe("with damaged entries among the roots", () => {
    let used: string;
    let other: string;
    const state = (...names: string[]): string => path.join(store.location.stateDir, ...names);
    const collect = async (): Promise<void> => {
      const { failures } = await store.collectGarbage({ action: "delete-dead" });
      expect(failures).toEqual([]);
    };
    const valid = (): Promise<boolean[]> => Promise.all([used, other].map((each) => store.isValidPath(each)));

    beforeEach(async () => {
      const texts =
        'return [await store.addTextToStore("used", "1", []), await store.addTextToStore("other", "2", [])];';
      [used = "", other = ""] = await addElsewhere(texts);
      fs.symlinkSync(used, state("gcroots/good"));
      fs.mkdirSync(state("gcroots/auto"), { recursive: true });
    });

    it("passes what is no root", async () => {
      const long = `/${"x".repeat(300)}`;
      for (const [name, target] of [
        ["a", "b"],
        ["b", "a"],
        ["auto/self", "self"],
        ["auto/long", long],
        ["auto/deep", `${root}/s/self/x`],
        ["no-path", `${store.storeDir}/not-a-path`],
        ["store", store.storeDir],
        ["out", `${store.storeDir}/../../etc`],
        ["auto/far", path.join(root, "one")],
      ] as const) {
        fs.symlinkSync(target, state("gcroots", name));
      }
      fs.symlinkSync("self", path.join(root, "s/self"));
      fs.symlinkSync(path.join(root, "two"), path.join(root, "one"));
      fs.symlinkSync(other, path.join(root, "two"));
      fs.symlinkSync(Buffer.from(`${store.storeDir}/\xff\xfe`, "latin1"), state("gcroots/bytes"));
      fs.writeFileSync(state("gcroots/file"), "x");
      await collect();
      expect(await valid()).toEqual([true, false]);
    });

    it("keeps what a file or a link below a store path stands for", async () => {
      fs.writeFileSync(state("gcroots", path.basename(other)), "");
      await collect();
      expect(await valid()).toEqual([true, true]);
      fs.rmSync(state("gcroots", path.basename(other)));
      fs.symlinkSync(`${other}/gone`, state("gcroots/below"));
      await collect();
      expect(await valid()).toEqual([true, true]);
    });

    it("removes links of indirect roots that lead nowhere", async () => {
      fs.writeFileSync(path.join(root, "file"), "");
      fs.symlinkSync(path.join(root, "gone/x"), state("gcroots/auto/gone"));
      fs.symlinkSync(path.join(root, "file/x"), state("gcroots/auto/in-a-file"));
      await collect();
      expect(fs.readdirSync(state("gcroots/auto"))).toEqual([]);
    });

    it("follows gcroots itself when it was moved", async () => {
      fs.renameSync(state("gcroots"), path.join(root, "moved"));
      fs.symlinkSync(path.join(root, "moved"), state("gcroots"));
      await collect();
      expect(await valid()).toEqual([true, false]);
    });

    it("looks at regular files of temporary roots only, and writes to no other", async () => {
      const mine = path.join(root, "mine");
      fs.writeFileSync(mine, "kept");
      fs.mkdirSync(state("temproots/dir"));
      fs.symlinkSync(mine, state("temproots/98"));
      fs.symlinkSync("nowhere", state("temproots/97"));
      execFileSync("mkfifo", [state("temproots/96")]);
      await collect();
      expect(fs.readFileSync(mine, "utf8")).toBe("kept");
      expect(await valid()).toEqual([true, false]);
    });

    it("takes half a temporary root for the whole one and passes what is none", async () => {
      const file = state("temproots/4000000");
      fs.writeFileSync(
        file,
        Buffer.from(`\xff\xfe\0\0/etc\0${store.storeDir}/\0${other.slice(0, -2)}\0${used.slice(0, 20)}`, "latin1"),
      );
      const fd = openLockFile(file);
      try {
        await lock(fd, "read");
        await collect();
      } finally {
        fs.closeSync(fd);
      }
      expect(await valid()).toEqual([true, true]);
      await collect();
      expect(await valid()).toEqual([true, false]);
      expect(fs.readdirSync(state("temproots"))).not.toContain("4000000");
    });

    it("deletes nothing when a directory of roots cannot be read", async () => {
      const hidden = state("gcroots/hidden");
      fs.mkdirSync(hidden);
      const readdir = fs.readdirSync;
      const refusing = vi.spyOn(fs, "readdirSync").mockImplementation(((place: Buffer, options: never) => {
        if (String(place) === hidden) throw Object.assign(new Error("EACCES"), { code: "EACCES" });
        return readdir(place, options);
      }) as never);
      try {
        await expect(collect()).rejects.toMatchObject({ code: "unreadable-roots" });
        expect((await store.collectGarbage({ action: "dead" })).paths).toContain(other);
      } finally {
        refusing.mockRestore();
      }
      expect(messages.some((text) => text.includes(hidden))).toBe(true);
      expect(await valid()).toEqual([true, true]);
    });
  });

  it("works while somebody's working directory has a name that is too long to be told", async () => {
    const script = `const fs = require("node:fs"); const name = "d".repeat(250);
      for (let i = 0; i < 20; i++) { fs.mkdirSync(name); process.chdir(name); }
      console.log("there"); setInterval(() => {}, 1000);`;
    const deep = spawn(process.execPath, ["-e", script], { cwd: root, stdio: ["ignore", "pipe", "inherit"] });
    try {
      await new Promise((resolve) => deep.stdout.once("data", resolve));
      expect(() => fs.readlinkSync(`/proc/${deep.pid}/cwd`)).toThrow("ENAMETOOLONG");
      const path = await store.addTextToStore("a", "a", []);
      expect((await store.collectGarbage({ action: "dead" })).paths).not.toContain(path);
    } finally {
      deep.kill("SIGKILL");
    }
  });

  it("refuses to delete a certain path that is alive", async () => {
    const a = await store.addTextToStore("a", "a", []);
    await store.addPermRoot(a, path.join(root, "link"));
    await expect(store.collectGarbage({ action: "delete-specific", paths: [a] })).rejects.toThrow(
      `Cannot delete path '${a}' since it is still alive.`,
    );
  });

  it("does not take away what another process adds meanwhile", async () => {
    await addElsewhere(`for (let i = 0; i < 50; i++) await store.addTextToStore("old" + i, "x" + i, []); return [];`);
    const adding = addElsewhere(
      `const all = []; for (let i = 0; i < 60; i++) all.push(await store.addTextToStore("old" + i, "x" + i, []));
       const gone = []; for (const path of all) if (!(await store.isValidPath(path))) gone.push(path);
       return gone;`,
    );
    for (let i = 0; i < 10; i++) {
      await store.collectGarbage({ action: "delete-dead" });
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(await adding).toEqual([]);
  });
});

describe("verification", () => {
  it("notices changed and vanished paths", async () => {
    const a = await store.addTextToStore("a", "a", []);
    const b = await store.addTextToStore("b", "b", []);
    expect(await verifyStore(store, { checkContents: true })).toBe(false);
    fs.chmodSync(store.realPath(a), 0o644);
    fs.appendFileSync(store.realPath(a), "!");
    removePath(store.realPath(b));
    expect(await verifyStore(store, { checkContents: true })).toBe(true);
    expect(messages.join("\n")).toContain(`path '${a}' was modified! expected hash`);
    expect(messages.join("\n")).toContain(`path '${b}' disappeared, removing from database...`);
    expect(await store.isValidPath(b)).toBe(false);
  });
});

describe("optimising", () => {
  it("links equal files and changes no hash", async () => {
    const text = "x".repeat(10_000);
    const a = await store.addTextToStore("a", text, []);
    const b = await store.addTextToStore("b", text, []);
    expect((await store.optimiseStore()).filesLinked).toBe(1);
    expect(fs.statSync(store.realPath(a)).ino).toBe(fs.statSync(store.realPath(b)).ino);
    expect(await verifyStore(store, { checkContents: true })).toBe(false);
  });

  it("happens while adding when the store is told to", async () => {
    await store.close();
    store = await LocalStore.open({ location: storeLocation({ rootDir: path.join(root, "s") }), autoOptimise: true });
    const text = "y".repeat(10_000);
    const [a, b] = [await store.addTextToStore("a", text, []), await store.addTextToStore("b", text, [])];
    expect(fs.statSync(store.realPath(a)).ino).toBe(fs.statSync(store.realPath(b)).ino);
    expect(await verifyStore(store, { checkContents: true })).toBe(false);
  });
});

describe("a store that shall keep space free", () => {
  const reopen = async (minFree: number): Promise<void> => {
    await store.close();
    const location = storeLocation({ rootDir: path.join(root, "s") });
    store = await LocalStore.open({ location, autoGc: { minFree, maxFree: Number.MAX_SAFE_INTEGER, interval: 0 } });
  };

  it("deletes what nothing keeps before it adds more", async () => {
    const old = await store.addTextToStore("old", "old", []);
    const added = await store.addTextToStore("new", "new", []);
    const info = (await store.queryPathInfo(added))!;
    const nar = [...store.narFromPath(added)];
    await reopen(0);
    store.invalidatePath(added);
    await store.addToStore(info, nar);
    expect(await store.isValidPath(old)).toBe(true);
    await reopen(Number.MAX_SAFE_INTEGER);
    store.invalidatePath(added);
    await store.addToStore(info, nar);
    expect([await store.isValidPath(old), await store.isValidPath(added)]).toEqual([false, true]);
  });
});
