import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type FakeStore, fakeManifest, makeFakeStore } from "../../../../tests/support/fake-system.ts";
import { type BootGeneration, finishBoot, planBoot, pruneEntries, writeBootFiles } from "./boot-entries.ts";

const mib = 1 << 20;

describe("the boot menu", () => {
  let store: FakeStore;
  let directory: string;
  beforeEach(() => {
    store = makeFakeStore();
    directory = join(store.directory, "boot");
    mkdirSync(directory);
  });
  afterEach(() => store.remove());

  const generation = (number: number, size = mib, kernel = String(number)): BootGeneration => ({
    number,
    created: 1_700_000_000,
    system: store.system("system", { kernel: kernel.padEnd(size), initrd: `i${number}`, "kernel-params": "quiet\n" }),
  });
  const settings = { ...fakeManifest.boot, loader: "systemd-boot", configurationLimit: undefined } as const;
  const entries = (): string[] => readdirSync(join(directory, "loader/entries")).sort();
  const files = (): string[] => readdirSync(join(directory, "EFI/firn")).sort();
  const apply = (
    request: Omit<Parameters<typeof planBoot>[0], "directory" | "settings"> & { settings?: object },
    free?: number,
  ) => {
    const plan = planBoot({ directory, ...request, settings: { ...settings, ...request.settings } }, free);
    writeBootFiles(plan);
    finishBoot(plan);
    return plan;
  };

  const prune = (numbers: number[], next: number, changed: object = {}): number[] =>
    pruneEntries({ directory, settings: { ...settings, ...changed } }, new Set(numbers), next);

  test("has an entry for each generation, with its own kernel, initrd and system", () => {
    const one = generation(1);
    apply({ generations: [one], next: 1, now: undefined, keep: [] });
    const text = readFileSync(join(directory, "loader/entries/firn-1.conf"), "utf8");
    expect(text).toContain("title Firn (machine)\nversion Generation 1 test, built on 2023-11-14\nsort-key firn\n");
    expect(text).toContain(`options init=${one.system.path}/init quiet\n`);
    const kernel = /^linux \/(.*)$/m.exec(text)?.[1] ?? "";
    expect(readFileSync(join(directory, kernel), "utf8")).toHaveLength(mib);
    expect(readFileSync(join(directory, "loader/loader.conf"), "utf8")).toBe("timeout 3\ndefault firn-*\neditor no\n");
  });

  test("has an entry for each variant of a generation, that no default is", () => {
    const quiet = { name: "quiet", system: generation(7).system };
    const one = { ...generation(1), specialisations: [quiet] };
    const two = generation(2);
    apply({ generations: [one, two], next: 2, now: undefined, keep: [1] });
    expect(entries()).toEqual(["firn-1.conf", "firn-2.conf", "firn_1_quiet.conf"]);
    expect(files()).toHaveLength(6);
    const text = readFileSync(join(directory, "loader/entries/firn_1_quiet.conf"), "utf8");
    expect(text).toContain("title Firn (machine, quiet)\nversion Generation 1 ");
    expect(text).toContain(`options init=${quiet.system.path}/init quiet\n`);
    apply({ generations: [{ ...one, specialisations: [] }, two], next: 2, now: 2, keep: [] });
    expect(entries()).toEqual(["firn-1.conf", "firn-2.conf"]);
    apply({ generations: [one, two], next: 2, now: 2, keep: [] });
    expect(prune([2], 2)).toEqual([1]);
    expect(entries()).toEqual(["firn-2.conf"]);
    expect(files()).toHaveLength(2);
  });

  describe("with secrets of the first stage", () => {
    const secrets = { "/etc/keys/disk": "/root/key", "/name": "/root/name" };
    const secretive = (number: number): BootGeneration => ({
      ...generation(number),
      system: store.system(
        "system",
        { kernel: "k".padEnd(mib), initrd: `i${number}`, "kernel-params": "" },
        { boot: { ...fakeManifest.boot, secrets } },
      ),
    });
    const root = (): string => join(store.directory, "machine");
    const keep = (name: string, text: string): void => {
      mkdirSync(join(root(), "root"), { recursive: true });
      writeFileSync(join(root(), "root", name), text);
    };
    const archive = (number: number): string =>
      gunzipSync(readFileSync(join(directory, `EFI/firn/secrets-${number}.img`))).toString("latin1");

    test("gives the kernel an archive of them behind the ramdisk, which is made anew for the next generation only", () => {
      keep("key", "first");
      keep("name", "n");
      const generations = [secretive(1), secretive(2)];
      apply({ root: root(), generations: generations.slice(0, 1), next: 1, now: undefined, keep: [] });
      const entry = readFileSync(join(directory, "loader/entries/firn-1.conf"), "utf8");
      expect(entry).toMatch(/\ninitrd \/EFI\/firn\/\S+\.efi\ninitrd \/EFI\/firn\/secrets-1\.img\noptions /);
      expect(statSync(join(directory, "EFI/firn/secrets-1.img")).mode & 0o777).toBe(0o600);
      // Each header has its fields, and all begins at a multiple of four bytes.
      const members = [...archive(1).matchAll(/070701(\w{104})([\w/!]+)\0/g)].map((match) => [
        match[2],
        match[1]?.slice(8, 16),
        match.index % 4,
      ]);
      expect(members).toEqual([
        ["etc", "000041ed", 0],
        ["etc/keys", "000041ed", 0],
        ["etc/keys/disk", "00008180", 0],
        ["name", "00008180", 0],
        ["TRAILER!!!", "00000000", 0],
      ]);
      expect(archive(1)).toContain("first\0");
      keep("key", "second");
      apply({ root: root(), generations, next: 2, now: 1, keep: [1] });
      expect([archive(1).includes("first"), archive(2).includes("second")]).toEqual([true, true]);
      expect(prune([2], 2)).toEqual([1]);
      expect(files().filter((name) => name.startsWith("secrets"))).toEqual(["secrets-2.img"]);
    });

    test("fails before any change when the next generation lacks one, and leaves an older one as it is", () => {
      keep("key", "first");
      const generations = [secretive(1), generation(2)];
      const request = { root: root(), generations, now: undefined, keep: [] };
      expect(() => apply({ ...request, next: 1 })).toThrow(
        "the first stage of generation 1 lacks its secret '/root/name'",
      );
      expect(existsSync(join(directory, "EFI"))).toBe(false);
      keep("name", "n");
      apply({ ...request, next: 1 });
      rmSync(join(root(), "root"), { recursive: true });
      apply({ ...request, next: 2, keep: [1] });
      apply({ ...request, next: 1 });
      expect(archive(1)).toContain("first\0");
    });

    test("has them in GRUB's menu too", () => {
      keep("key", "first");
      keep("name", "n");
      const grub = { devices: [], place: "/boot", extraConfig: "", extraEntries: "" };
      apply({
        root: root(),
        generations: [secretive(1)],
        next: 1,
        now: undefined,
        keep: [],
        settings: { loader: "grub", grub },
      });
      expect(readFileSync(join(directory, "grub/grub.cfg"), "utf8")).toMatch(
        /\n {2}initrd \/boot\/EFI\/firn\/\S+\.efi \/boot\/EFI\/firn\/secrets-1\.img\n/,
      );
    });
  });

  test("loses the entries of generations that are gone, and the kernels that only they started", () => {
    const generations = [generation(1), generation(2, mib, "shared"), generation(3, mib, "shared")];
    apply({ generations, next: 3, now: 2, keep: [2] });
    expect(files()).toHaveLength(6);
    writeFileSync(join(directory, "loader/entries/other.conf"), "linux /vmlinuz\n");
    expect(prune([3, 4], 3)).toEqual([1, 2]);
    expect(entries()).toEqual(["firn-3.conf", "other.conf"]);
    expect(files()).toHaveLength(2);
    expect(prune([3], 3)).toEqual([]);
  });

  test("is GRUB's too, with the newest first and the next as its default", () => {
    const grub = {
      devices: [],
      place: "/boot",
      extraConfig: "set color_normal=cyan/black",
      extraEntries: "menuentry other { halt }",
    };
    const loader = { loader: "grub", grub, timeout: undefined };
    const menu = (): string => readFileSync(join(directory, "grub/grub.cfg"), "utf8");
    const ids = (): string[] => [...menu().matchAll(/^menuentry .*--id '(.*)' \{$/gm)].map(([, id = ""]) => id);
    const generations = [1, 2, 10].map((number) => generation(number));
    apply({ generations: generations.slice(0, 2), next: 2, now: 1, keep: [1], settings: loader });
    expect(menu()).toContain("set timeout=-1\nset default='firn-2'\nset color_normal=cyan/black\n");
    expect(menu()).toMatch(
      /menuentry 'Firn \(machine\), Generation 2 test, built on 2023-11-14' --id 'firn-2' \{\n {2}linux \/boot\/EFI\/firn\/\S+ init=\S+\/init quiet\n {2}initrd \/boot\/EFI\/firn\/\S+\n\}/,
    );
    expect(menu().trimEnd()).toMatch(/menuentry other \{ halt \}$/);
    const plan = planBoot({
      directory,
      settings: { ...settings, ...loader, loader: "grub" },
      generations,
      next: 10,
      now: 2,
      keep: [2],
    });
    writeBootFiles(plan);
    // What starts is the one of before until the switch is through.
    expect(menu()).toContain("set default='firn-2'\n");
    finishBoot(plan);
    expect(menu()).toContain("set default='firn-10'\n");
    expect(ids()).toEqual(["firn-10", "firn-2", "firn-1"]);
    expect(prune([2, 10], 10, loader)).toEqual([1]);
    expect(ids()).toEqual(["firn-10", "firn-2"]);
  });

  test("names an older generation itself, so that the newest does not win", () => {
    apply({ generations: [generation(1), generation(12)], next: 1, now: 12, keep: [12] });
    expect(readFileSync(join(directory, "loader/loader.conf"), "utf8")).toContain("default firn-1[.+]*\n");
  });

  test("puts the generation that runs before newer ones, for the loader to fall back to", () => {
    const generations = [1, 2, 3].map((number) => generation(number));
    const keys = () =>
      entries().map(
        (name) => /^sort-key (.*)$/m.exec(readFileSync(join(directory, "loader/entries", name), "utf8"))?.[1],
      );
    apply({ generations: generations.slice(0, 2), next: 2, now: 1, keep: [1] });
    expect(keys()).toEqual(["firn", "firn"]);
    apply({ generations, next: 3, now: 1, keep: [1] });
    expect(keys()).toEqual(["firn", "firn-older", "firn"]);
  });

  test("counts the tries of a new generation, keeps what is counted, and counts anew what had failed", () => {
    const counted = { settings: { bootCountingTries: 3 } };
    const [one, two] = [generation(1), generation(2)];
    apply({ generations: [one], next: 1, now: undefined, keep: [], ...counted });
    expect(entries()).toEqual(["firn-1+3.conf"]);
    // The boot loader counts by renaming; a good start takes the count away.
    const path = (name: string): string => join(directory, "loader/entries", name);
    renameSync(path("firn-1+3.conf"), path("firn-1.conf"));
    apply({ generations: [one, two], next: 2, now: 1, keep: [1], ...counted });
    expect(entries()).toEqual(["firn-1.conf", "firn-2+3.conf"]);
    renameSync(path("firn-2+3.conf"), path("firn-2+1-2.conf"));
    apply({ generations: [one, two], next: 2, now: 1, keep: [1], ...counted });
    expect(entries()).toEqual(["firn-1.conf", "firn-2+1-2.conf"]);
    renameSync(path("firn-2+1-2.conf"), path("firn-2+0-3.conf"));
    apply({ generations: [one, two], next: 2, now: 1, keep: [1], ...counted });
    expect(entries()).toEqual(["firn-1.conf", "firn-2+3.conf"]);
  });

  test("keeps no more generations than the limit, but always the next and the running one", () => {
    const generations = [1, 2, 3, 4].map((number) => generation(number));
    const plan = apply({ generations, next: 4, now: 1, keep: [1], settings: { configurationLimit: 2 } });
    expect(plan.dropped).toEqual([2]);
    expect(entries()).toEqual(["firn-1.conf", "firn-3.conf", "firn-4.conf"]);
  });

  test("drops the oldest when there is no space for all, before the new files are written", () => {
    const generations = [1, 2, 3].map((number) => generation(number));
    apply({ generations, next: 3, now: 2, keep: [2] });
    const four = generation(4);
    const plan = apply({ generations: [...generations, four], next: 4, now: 3, keep: [3] }, mib);
    expect(plan.tight).toBe(true);
    expect(plan.dropped).toEqual([1]);
    expect(entries()).toEqual(["firn-2.conf", "firn-3.conf", "firn-4.conf"]);
    expect(files()).toHaveLength(6);
  });

  test("says so, and writes nothing, when not even the next and the running one fit", () => {
    const two = [generation(1, 2 * mib), generation(2, 2 * mib)];
    expect(() => planBoot({ directory, settings, generations: two, next: 2, now: 1, keep: [1] }, 3 * mib)).toThrow(
      /not enough space on '.*boot': generation 2 needs 5\.0 MiB, and 3\.0 MiB can be had/,
    );
    expect(readdirSync(directory)).toEqual([]);
  });

  test("leaves entries and files of others alone, and removes what generations left behind", () => {
    for (const path of ["loader/entries", "EFI/firn", "EFI/other"])
      mkdirSync(join(directory, path), { recursive: true });
    for (const path of [
      "loader/entries/arch.conf",
      "EFI/other/kernel.efi",
      "loader/entries/firn-9.conf",
      "EFI/firn/old.efi",
    ]) {
      writeFileSync(join(directory, path), "x");
    }
    apply({ generations: [generation(1)], next: 1, now: undefined, keep: [] });
    expect(entries()).toEqual(["arch.conf", "firn-1.conf"]);
    expect(existsSync(join(directory, "EFI/other/kernel.efi"))).toBe(true);
    expect(existsSync(join(directory, "EFI/firn/old.efi"))).toBe(false);
  });

  test("a system without a kernel cannot be started", () => {
    const generations = [{ number: 1, created: 0, system: store.system("bare", {}) }];
    expect(() => planBoot({ directory, settings, generations, next: 1, now: undefined, keep: [] })).toThrow(
      /has no kernel/,
    );
  });
});
