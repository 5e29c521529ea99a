/** Facts about binary caches on disk. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { hashData, type NarInfo, parseNarInfo, printNarInfo } from "@firn/formats";
import { afterEach, beforeEach, expect, test } from "vitest";
import { NarInfoCache } from "./narinfo-cache.ts";

const url = "https://cache.example.org";
const facts = { storeDir: "/nix/store", wantMassQuery: true, priority: 40 };
const hashPart = "0".repeat(32);
const narHash = hashData("sha256", Buffer.from("x"));
const signature = `k:${Buffer.alloc(64, 1).toString("base64")}`;
const infos: readonly NarInfo[] = [
  {
    path: `/nix/store/${hashPart}-a`,
    url: "nar/a.nar",
    compression: "none",
    narHash,
    narSize: 1,
    references: [],
    signatures: [],
  },
  {
    path: `/nix/store/${hashPart}-b-1.2.drv`,
    url: "nar/b.nar.xz",
    compression: "xz",
    fileHash: hashData("sha256", Buffer.from("file")),
    fileSize: 12,
    narHash,
    narSize: 34,
    references: [`/nix/store/${hashPart}-b-1.2.drv`, `/nix/store/${"1".repeat(32)}-c`],
    deriver: `/nix/store/${"2".repeat(32)}-d.drv`,
    signatures: [signature],
    ca: { method: "nar", hash: narHash },
  },
];
const day = { positive: 86400, negative: 86400, meta: 86400 };
let directory: string;
let file: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "firn-narinfo-"));
  file = join(directory, "nix/binary-cache-v7.sqlite");
});
afterEach(() => rmSync(directory, { recursive: true }));

function use<T>(work: (cache: NarInfoCache) => T, ttl = day): T {
  const cache = new NarInfoCache(file, ttl);
  try {
    return work(cache);
  } finally {
    cache.close();
  }
}

test.each(infos.map((info) => [info.path, info] as const))("%s comes back as its cache described it", (_path, info) => {
  const id = use((cache) => {
    const number = cache.keepCache(url, facts)!;
    cache.keepNarInfo(number, hashPart, info);
    return number;
  });
  expect(use((cache) => cache.cache(url))).toEqual({ ...facts, id });
  const found = use((cache) => cache.narInfo(id, hashPart, "/nix/store"));
  expect(found).toEqual(parseNarInfo(printNarInfo(info), "test"));
});

test("what is missing is known too; nothing is known of other caches and paths", () => {
  const id = use((cache) => cache.keepCache(url, facts)!);
  use((cache) => cache.keepNarInfo(id, hashPart, undefined));
  expect(use((cache) => cache.narInfo(id, hashPart, "/nix/store"))).toBeNull();
  expect(use((cache) => cache.narInfo(id, "1".repeat(32), "/nix/store"))).toBeUndefined();
  expect(use((cache) => cache.narInfo(id + 1, hashPart, "/nix/store"))).toBeUndefined();
  expect(use((cache) => cache.cache(`${url}/other`))).toBeUndefined();
  use((cache) => cache.keepNarInfo(id, hashPart, infos[0]));
  expect(use((cache) => cache.narInfo(id, hashPart, "/nix/store"))?.path).toBe(infos[0]!.path);
  expect(use((cache) => cache.keepCache(url, { ...facts, priority: 1 }))).toBe(id);
});

test("realisations are known, and known to be missing", () => {
  const id = use((cache) => cache.keepCache(url, facts)!);
  expect(use((cache) => cache.realisation(id, "sha256:00!out"))).toBeUndefined();
  use((cache) => cache.keepRealisation(id, "sha256:00!out", undefined));
  expect(use((cache) => cache.realisation(id, "sha256:00!out"))).toBeNull();
  expect(use((cache) => cache.realisation(id, "sha256:00!out"), { ...day, negative: 0 })).toBeUndefined();
  use((cache) => cache.keepRealisation(id, "sha256:00!out", "{}"));
  expect(use((cache) => cache.realisation(id, "sha256:00!out"))).toBe("{}");
  expect(use((cache) => cache.realisation(id, "sha256:00!out"), { ...day, positive: 0 })).toBeUndefined();
});

test("each kind of fact counts for its own time, and old ones are removed", () => {
  const id = use((cache) => cache.keepCache(url, facts)!);
  use((cache) => {
    cache.keepNarInfo(id, hashPart, infos[0]);
    cache.keepNarInfo(id, "1".repeat(32), undefined);
  });
  const known = (ttl: typeof day) =>
    use(
      (cache) => [
        cache.cache(url) !== undefined,
        cache.narInfo(id, hashPart, "/nix/store") !== undefined,
        cache.narInfo(id, "1".repeat(32), "/nix/store") !== undefined,
      ],
      ttl,
    );
  expect(known(day)).toEqual([true, true, true]);
  expect(known({ ...day, positive: 0 })).toEqual([true, false, true]);
  expect(known({ ...day, negative: 0 })).toEqual([true, true, false]);
  expect(known({ ...day, meta: 0 })).toEqual([false, true, true]);
  const database = new DatabaseSync(file);
  database.exec("update NARs set timestamp = 1; update LastPurge set value = 1;");
  database.close();
  use((cache) => cache.cache(url));
  const after = new DatabaseSync(file);
  expect(after.prepare("select count(*) as left from NARs").get()).toEqual({ left: 0 });
  after.close();
});

test("what was changed to something that is no description counts as nothing", () => {
  const id = use((cache) => cache.keepCache(url, facts)!);
  for (const change of [
    "narHash = 'x'",
    "namePart = '../x'",
    "refs = '/etc/passwd'",
    "sigs = 'x'",
    "narSize = -1",
    "url = null",
  ]) {
    use((cache) => cache.keepNarInfo(id, hashPart, infos[1]));
    const database = new DatabaseSync(file);
    database.exec(`update NARs set ${change}`);
    database.close();
    expect([change, use((cache) => cache.narInfo(id, hashPart, "/nix/store"))]).toEqual([change, undefined]);
  }
});

test("a file that is damaged, has another schema or cannot be made counts as empty", () => {
  const id = use((cache) => cache.keepCache(url, facts)!);
  const bytes = readFileSync(file);
  rmSync(`${file}-wal`, { force: true });
  writeFileSync(file, bytes.fill(0xff, 0, 200));
  expect(use((cache) => [cache.cache(url), cache.narInfo(id, hashPart, "/nix/store")])).toEqual([undefined, undefined]);
  rmSync(file);
  const other = new DatabaseSync(file);
  other.exec("create table BinaryCaches (x)");
  other.close();
  expect(use((cache) => cache.cache(url))).toBeUndefined();
  file = "/proc/none/binary-cache-v7.sqlite";
  expect(use((cache) => [cache.cache(url), cache.keepCache(url, facts)])).toEqual([undefined, undefined]);
});
