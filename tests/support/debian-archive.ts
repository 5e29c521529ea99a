/** Archives of Debian packages for tests: packages made of texts, indices, a signed release file. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { DebianLock } from "@firn/fetch";
import * as openpgp from "openpgp";

/** A package: fields of its control file, and files by their path below the root. */
export interface ArchivePackage {
  readonly fields: Readonly<Record<string, string>> & { readonly Package: string; readonly Version: string };
  readonly files?: Readonly<Record<string, string>>;
}

/** A key that signs archives. */
export interface ArchiveKey {
  /** The armored public key. */
  readonly public: string;
  /** The public key as a binary keyring. */
  readonly ring: Uint8Array;
  sign(text: string): Promise<string>;
}

/** Makes a new key. */
export async function makeArchiveKey(): Promise<ArchiveKey> {
  const { privateKey, publicKey } = await openpgp.generateKey({ userIDs: [{ name: "archive" }], format: "object" });
  return {
    public: publicKey.armor(),
    ring: publicKey.write(),
    sign: async (text) =>
      openpgp.sign({ message: await openpgp.createCleartextMessage({ text }), signingKeys: privateKey }),
  };
}

const hashOf = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** Publishes a suite with its packages in an archive at `directory`; a suite of that name is replaced. */
export async function publish(
  directory: string,
  suite: string,
  options: {
    readonly key: ArchiveKey;
    readonly packages: readonly ArchivePackage[];
    /** The component of these packages; `main` by default. */
    readonly component?: string;
    /** Packages of further components. */
    readonly further?: Readonly<Record<string, readonly ArchivePackage[]>>;
    /** Further paragraphs of the first component, for packages whose files are elsewhere. */
    readonly more?: string;
  },
): Promise<void> {
  const first = options.component ?? "main";
  const components = { [first]: options.packages, ...options.further };
  let list = "";
  for (const [component, packages] of Object.entries(components)) {
    const index = writeIndex(directory, packages, component === first ? options.more : "");
    const file = `${component}/binary-amd64/Packages`;
    const place = join(directory, "dists", suite, file);
    mkdirSync(dirname(place), { recursive: true });
    writeFileSync(place, index);
    list += ` ${hashOf(index)} ${index.length} ${file}\n`;
  }
  const release = `Suite: ${suite}\nCodename: ${suite}\nDate: Sat, 11 Jul 2026 10:16:37 UTC\nSHA256:\n${list}`;
  writeFileSync(join(directory, "dists", suite, "InRelease"), await options.key.sign(release));
}

/** Writes the files of packages and returns their index. */
function writeIndex(directory: string, packages: readonly ArchivePackage[], more = ""): Buffer {
  const paragraphs = packages.map(({ fields, files = {} }) => {
    const deb = makeDeb(fields, files);
    const path = `pool/${fields.Package}_${fields.Version}_amd64.deb`;
    mkdirSync(join(directory, "pool"), { recursive: true });
    writeFileSync(join(directory, path), deb);
    return `${control(fields)}Filename: ${path}\nSize: ${deb.length}\nSHA256: ${hashOf(deb)}\n`;
  });
  return Buffer.from([...paragraphs, more].filter((text) => text !== "").join("\n"));
}

/** Returns the paragraphs of an index for the packages of a lock that come from an archive. */
export function lockedIndex(lock: DebianLock, archive: string): string {
  return Object.entries(lock.packages)
    .filter(([, { path }]) => path.startsWith(`${archive}/`))
    .map(([name, { version, path, size, sha256, depends, essential, description }]) => {
      const optional = `${essential === true ? "Essential: yes\n" : ""}${depends.length > 0 ? `Depends: ${depends.join(", ")}\n` : ""}`;
      return `Package: ${name}\nVersion: ${version}\n${optional}Description: ${description}\nFilename: ${path.slice(archive.length + 1)}\nSize: ${size}\nSHA256: ${sha256}\n`;
    })
    .join("\n");
}

function control(fields: Readonly<Record<string, string>>): string {
  return Object.entries({ Architecture: "amd64", Maintainer: "nobody", Description: "a test", ...fields })
    .map(([name, value]) => `${name}: ${value}\n`)
    .join("");
}

/** Makes the bytes of a package. */
export function makeDeb(fields: Readonly<Record<string, string>>, files: Readonly<Record<string, string>>): Buffer {
  const directory = mkdtempSync(join(tmpdir(), "firn-deb-"));
  try {
    const tree = (name: string, contents: Readonly<Record<string, string>>): Buffer => {
      mkdirSync(join(directory, name));
      for (const [path, text] of Object.entries(contents)) {
        const file = join(directory, name, path);
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, text, { mode: text.startsWith("#!") ? 0o755 : 0o644 });
      }
      return execFileSync("tar", [
        "-C",
        join(directory, name),
        "--owner=0",
        "--group=0",
        "--mtime=@0",
        "-czf",
        "-",
        ".",
      ]);
    };
    const member = (name: string, bytes: Buffer): Buffer[] => [
      Buffer.from(`${name.padEnd(16)}${"0".padEnd(12)}${"0".padEnd(6)}${"0".padEnd(6)}${"100644".padEnd(8)}`),
      Buffer.from(`${String(bytes.length).padEnd(10)}\`\n`),
      bytes,
      Buffer.alloc(bytes.length % 2, "\n"),
    ];
    return Buffer.concat([
      Buffer.from("!<arch>\n"),
      ...member("debian-binary", Buffer.from("2.0\n")),
      ...member("control.tar.gz", tree("control", { control: control(fields) })),
      ...member("data.tar.gz", tree("data", files)),
    ]);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
