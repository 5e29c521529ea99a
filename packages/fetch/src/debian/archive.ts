/** Downloads and verifies the indices of Debian suites from a mirror, following the chain of trust of release.ts. */
import { createHash } from "node:crypto";
import { FirnError } from "@firn/formats";
import { decompress } from "@firn/store";
import { addPackages, type DebSource, emptyIndex, findSources, type PackageIndex } from "./package-index.ts";
import { type Release, type ReleaseCheck, readRelease } from "./release.ts";

/** One suite of one archive, e.g. `main` of `bookworm` in `debian`. */
export interface SuiteSpec {
  /** Archive name as in `mirror://NAME/…`: `debian` or `debian-security`. */
  readonly archive: string;
  readonly suite: string;
  readonly components: readonly string[];
}

/** An archive that is not Debian's. */
export interface ForeignArchive {
  /** Base URL, without a trailing slash. */
  readonly url: string;
  /** Its public keys, armored; no other key signs for it. */
  readonly key: string;
}

/** Access to an archive's indices: mirrors and downloads. */
export interface ArchiveAccess extends ReleaseCheck {
  /** Archives besides Debian's, by name. */
  readonly archives?: ReadonlyMap<string, ForeignArchive>;
  /** Base URLs by archive name, without a trailing slash; tried in order. */
  readonly mirrors: ReadonlyMap<string, readonly string[]>;
  readonly architecture: string;
  /** Downloads a URL; fails when it is longer than `limit` bytes. */
  download(url: string, limit: number): Promise<Uint8Array>;
}

/** A suite with its verified release file. */
export interface OpenSuite {
  readonly spec: SuiteSpec;
  readonly release: Release;
  /** SHA-256 of the InRelease file in base 16, which pins everything below it. */
  readonly inReleaseHash: string;
}

const maxInRelease = 4 << 20;
const maxIndex = 512 << 20;

/** Fetches and verifies a suite's InRelease. Fails with `deb-no-mirror` when no mirror is known for its archive. */
export async function openSuite(access: ArchiveAccess, spec: SuiteSpec): Promise<OpenSuite> {
  const bytes = await fromMirror(access, spec.archive, `dists/${spec.suite}/InRelease`, maxInRelease);
  const foreign = access.archives?.get(spec.archive);
  const check = foreign === undefined ? access : { ...access, keyrings: [foreign.key] };
  const release = await readRelease(new TextDecoder().decode(bytes), check);
  return { spec, release, inReleaseHash: createHash("sha256").update(bytes).digest("hex") };
}

/** Returns the packages of all given suites, the newest version of each name. */
export async function loadPackages(access: ArchiveAccess, suites: readonly OpenSuite[]): Promise<PackageIndex> {
  const index = emptyIndex();
  for (const suite of suites) {
    for (const component of suite.spec.components) {
      const text = await indexFile(access, suite, `${component}/binary-${access.architecture}/Packages`);
      addPackages(index, suite.spec.archive, text);
    }
  }
  return index;
}

/** Returns the named source packages. Fails with `deb-unknown-package` when one is in no suite. */
export async function loadSources(
  access: ArchiveAccess,
  suites: readonly OpenSuite[],
  wanted: ReadonlySet<string>,
): Promise<Map<string, DebSource>> {
  const found = new Map<string, DebSource>();
  if (wanted.size === 0) return found;
  for (const suite of suites) {
    for (const component of suite.spec.components) {
      const path = `${component}/source/Sources`;
      // Archives of programs' makers have no sources.
      if (!indexForms.some(({ suffix }) => suite.release.files.has(`${path}${suffix}`))) continue;
      const text = await indexFile(access, suite, path);
      for (const [name, source] of findSources(suite.spec.archive, text, wanted)) found.set(name, source);
    }
  }
  for (const name of wanted) {
    if (!found.has(name)) {
      throw new FirnError("deb-unknown-package", `Debian source package '${name}' does not exist in the suites asked`);
    }
  }
  return found;
}

/** Compressed forms of an index, cheapest to unpack first; some suites offer only xz. */
const indexForms = [
  { suffix: ".gz", compression: "gzip" },
  { suffix: ".xz", compression: "xz" },
  { suffix: "", compression: "none" },
] as const;

async function indexFile(access: ArchiveAccess, suite: OpenSuite, path: string): Promise<string> {
  const form = indexForms.find(({ suffix }) => suite.release.files.has(`${path}${suffix}`));
  const entry = form === undefined ? undefined : suite.release.files.get(`${path}${form.suffix}`);
  if (form === undefined || entry === undefined) {
    throw new FirnError("deb-index", `Debian suite '${suite.spec.suite}' has no index '${path}'`, {
      hint: "check the suite, component and architecture",
    });
  }
  const plain = `dists/${suite.spec.suite}/${path}${form.suffix}`;
  // By its hash an index is found also while the mirror is updated.
  const byHash = `${plain.slice(0, plain.lastIndexOf("/"))}/by-hash/SHA256/${entry.sha256}`;
  const packed = await fromMirror(access, suite.spec.archive, suite.release.byHash ? byHash : plain, entry.size);
  const hash = createHash("sha256").update(packed).digest("hex");
  if (packed.length !== entry.size || hash !== entry.sha256) {
    throw new FirnError(
      "deb-index",
      `Debian index '${path}${form.suffix}' does not have the hash its release file promises`,
      {
        hint: `specified: ${entry.sha256}, got: ${hash}; the mirror may be in the middle of an update, try again`,
      },
    );
  }
  const chunks: Uint8Array[] = [];
  for await (const chunk of decompress([packed], form.compression, maxIndex)) chunks.push(chunk);
  return Buffer.concat(chunks).toString("latin1");
}

async function fromMirror(access: ArchiveAccess, archive: string, path: string, limit: number): Promise<Uint8Array> {
  const foreign = access.archives?.get(archive);
  const bases = access.mirrors.get(archive) ?? (foreign === undefined ? [] : [foreign.url]);
  if (bases.length === 0) {
    throw new FirnError("no-mirror", `no mirror is known for the Debian archive '${archive}'`, {
      hint: `set 'deb-mirrors = ${archive}=URL' in nix.conf or pass --option deb-mirrors '${archive}=URL'`,
    });
  }
  let failure: unknown;
  for (const base of bases) {
    try {
      return await access.download(`${base}/${path}`, limit);
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}
