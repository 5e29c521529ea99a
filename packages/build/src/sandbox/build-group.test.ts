import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Settings, startProgram } from "@firn/store";
import { afterAll, describe, expect, it } from "vitest";
import { groupOf, makeBuildGroup } from "./build-group.ts";

const state = mkdtempSync(join(tmpdir(), "firn-groups-"));
afterAll(() => rmSync(state, { recursive: true }));

const settings = new Settings();
settings.set("experimental-features", "cgroups");
settings.set("use-cgroups", "true");
const uid = 999_999;

/** The directory of this process's group when groups can be made in it. */
function ownGroup(): string | undefined {
  try {
    const { root, own } = groupOf(readFileSync("/proc/mounts", "latin1"), readFileSync("/proc/self/cgroup", "latin1"));
    mkdirSync(`${root}${own}/firn-test-${process.pid}`);
    rmdirSync(`${root}${own}/firn-test-${process.pid}`);
    return root + own;
  } catch {
    return undefined;
  }
}

const own = process.getuid?.() === 0 ? ownGroup() : undefined;

describe("the control group of a build", () => {
  it("lies below the group of this process", () => {
    const mounts = "cgroup /sys/fs/cgroup/cpu cgroup rw 0 0\ncgroup2 /sys/fs/c\\040group cgroup2 rw 0 0\n";
    expect(groupOf(mounts, "3:cpu:/\n0::/user.slice/a\n")).toEqual({ root: "/sys/fs/c group", own: "/user.slice/a" });
    expect(groupOf(mounts, "0::/\n")).toEqual({ root: "/sys/fs/c group", own: "" });
    expect(() => groupOf("", "0::/\n")).toThrow("cannot determine the cgroups file system");
    expect(() => groupOf(mounts, "3:cpu:/\n")).toThrow("cannot determine cgroup name from /proc/self/cgroup");
  });

  it("is made only when it is asked for and its feature is enabled", async () => {
    const plain = new Settings();
    expect(await makeBuildGroup({ settings: plain, stateDir: state, user: undefined })).toBeUndefined();
    plain.set("use-cgroups", "true");
    await expect(makeBuildGroup({ settings: plain, stateDir: state, user: undefined })).rejects.toThrow(
      "experimental Nix feature 'cgroups' is disabled",
    );
  });

  it.skipIf(own === undefined)("ends with all that it holds, and tells the time that this took", async () => {
    const group = (await makeBuildGroup({ settings, stateDir: state, user: { uid, gid: uid } }))!;
    const directory = `${own}/nix-build-uid-${uid}`;
    const [program, ...args] = group.enter([
      "/bin/sh",
      "-c",
      `mkdir ${directory}/below; (echo 0 > ${directory}/below/cgroup.procs; sleep 1000) & cat /proc/self/cgroup`,
    ]);
    const child = startProgram(program!, args, { stdio: ["ignore", "pipe", "inherit"], detached: true });
    const said: string[] = [];
    child.stdout?.on("data", (data: Buffer) => said.push(data.toString()));
    await new Promise((resolve) => child.on("exit", resolve));
    expect(said.join("")).toContain(`0::${directory.slice(directory.indexOf("/nix-build"))}`);
    const time = await group.end();
    expect([existsSync(directory), time !== undefined && time.user >= 0 && time.system >= 0]).toEqual([false, true]);
    expect(await group.end()).toBeUndefined();
  });

  it.skipIf(own === undefined)("replaces what a killed build of the same user has left, and nothing else", async () => {
    const directory = `${own}/nix-build-uid-${uid}`;
    const options = { settings, stateDir: state, user: { uid, gid: uid } };
    await makeBuildGroup(options);
    expect(readFileSync(join(state, `cgroups/${uid}`), "utf8")).toBe(directory);
    const group = await makeBuildGroup(options);
    await group?.end();
    const other = `${own}/firn-test-other`;
    mkdirSync(other);
    for (const record of [other, `${directory}/../firn-test-other`, state]) {
      writeFileSync(join(state, `cgroups/${uid}`), record);
      await (await makeBuildGroup(options))?.end();
      expect([existsSync(other), existsSync(state), existsSync(directory)]).toEqual([true, true, false]);
    }
    rmdirSync(other);
  });
});
