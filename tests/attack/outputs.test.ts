/** Builders whose outputs mean harm: each is refused, or registered as what it is and nothing else, and leaves nothing behind. */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { join } from "node:path";
import { sandboxWorks } from "@firn/build";
import { removePath } from "@firn/store";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makePlace, type Outcome, type Place } from "../support/run-firn.ts";
import { asOrdinaryUser, ordinaryUser } from "./user.ts";

const isRoot = process.getuid?.() === 0;
const HOST = "/bin /lib /lib64? /usr";
const HELLO = "sha256-WJG1tSLV3whtD/CxEPvZ0hu0/HFjrzTQgoai6Eb2vgM=";
const FIXED = `outputHash = "${HELLO}"; outputHashMode = "flat";`;
const FLAT =
  /output path ".*" should be a non-executable regular file since recursive hashing is not enabled \(one of outputHashMode=\{flat,text\} is true\)/;

/** One builder and what becomes of its output. Messages and hashes are the reference's unless `differs` tells otherwise. */
interface Case {
  readonly name: string;
  /** Shell, with `$outside` naming a directory of the machine. */
  readonly script: string;
  /** Further attributes of the derivation. */
  readonly attributes?: string;
  /** What the error says, with NAME for the name of the derivation. */
  readonly refused?: RegExp;
  /** The hash of the output that is taken. */
  readonly hash?: string;
  /** Where the output that is taken, a link, leads to, below the directory that `$outside` names or absolute. */
  readonly link?: string;
  /** Looks at the output that is taken. */
  readonly taken?: (out: string) => void;
  /** What the reference does instead, and why Firn does not. */
  readonly differs?: string;
}

const cases: readonly Case[] = [
  { name: "a link to a file of the machine", script: "ln -s $outside/precious $out", link: "precious" },
  {
    name: "a link to /etc",
    script: "ln -s /etc $out",
    link: "/etc",
    hash: "sha256-JrEieTC3WDd9oyq7hw0yAz0nQ2YebOXUMBzrRExGQc8=",
  },
  {
    name: "no output, but links beside it",
    script: "ln -s $outside /nix/store/planted; ln -s $outside /build/planted",
    refused: /builder for '.*-NAME\.drv' failed to produce output path for output 'out' at ".*-NAME"/,
  },
  { name: "a pipe", script: "mkfifo $out", refused: /file ".*-NAME" has an unsupported type/ },
  { name: "a pipe inside", script: "mkdir $out; mkfifo $out/f", refused: /file ".*-NAME\/f" has an unsupported type/ },
  {
    name: "a socket",
    script: `perl -MIO::Socket::UNIX -e 'IO::Socket::UNIX->new(Local => $ENV{out}, Listen => 1) or die "no socket: $!"'`,
    refused: /file ".*-NAME" has an unsupported type/,
  },
  {
    name: "a device",
    script: "mknod $out c 1 3",
    refused: /> mknod: \/nix\/store\/\w+-NAME: Operation not permitted/,
  },
  {
    name: "a hard link to an input",
    script: "ln $input $out",
    refused: /> ln: failed to create hard link '\/nix\/store\/\w+-NAME' => '.*-input': Invalid cross-device link/,
  },
  {
    name: "a file that everybody may write",
    script: "echo x > $out; chmod 666 $out",
    refused: /suspicious ownership or permission on ".*-NAME" for output 'out'; rejecting this build output/,
  },
  {
    name: "a directory that everybody may write",
    script: "mkdir $out; echo x > $out/f; chmod 777 $out; chmod 666 $out/f",
    refused: /suspicious ownership or permission on ".*-NAME" for output 'out'; rejecting this build output/,
  },
  {
    name: "a file and a directory without permissions",
    script: "mkdir -p $out/d; echo x > $out/d/f; chmod 000 $out/d/f $out/d",
    hash: "sha256-GrhXTRDP507pWAQLeOwrLsPWjjIzUtAwgG9wvJCJSBw=",
    taken: (out) => {
      for (const [path, mode] of [
        ["", 0o555],
        ["d", 0o555],
        ["d/f", 0o444],
      ] as const) {
        expect(fs.lstatSync(join(out, path)).mode & 0o7777).toBe(mode);
      }
    },
  },
  {
    name: "20,000 levels",
    script: `perl -e 'mkdir $ENV{out}; chdir $ENV{out}; for (1..20000) { mkdir "d" or die $!; chdir "d" or die $! }'`,
    refused: /path '(?:\/d){64}' exceeds maximum NAR directory depth of 64/,
    differs: "getting the status of a file in it fails, and neither the build nor a collection can remove it",
  },
  {
    name: "20,000 levels beside the output",
    script: `echo x > $out; perl -e 'for (1..20000) { mkdir "d" or die $!; chdir "d" or die $! }'`,
    hash: "sha256-7LbDw7WtaXyYkUf3lK4/XPnSf24DWHcygBgPAIKKa0I=",
    differs: "takes the output and ends with an error, since it cannot remove the build directory",
  },
  {
    name: "a path longer than PATH_MAX",
    script: `perl -e 'mkdir $ENV{out}; chdir $ENV{out}; for (1..30) { mkdir "d" x 200 or die $!; chdir "d" x 200 or die $! }'`,
    taken: (out) => {
      const found = execFileSync("find", [out, "-mindepth", "1", "-printf", "%d %m %f\n"], { encoding: "utf8" });
      const levels = Array.from({ length: 30 }, (_, level) => `${level + 1} 555 ${"d".repeat(200)}\n`);
      expect(found).toBe(levels.join(""));
    },
    differs: "getting the status of a file in it fails: it works by whole paths",
  },
  {
    name: "odd names",
    script: `perl -e 'mkdir $ENV{out}; for my $n ("a\\nb", "\\e[31mred", "\\xff\\xfe", "-rf", "\\\\") { open(F, ">", "$ENV{out}/$n") or die $!; print F "x"; close F }'`,
    hash: "sha256-zPrbcFP5BSRRSG2dfECG+b56EyOMydBJuypXACOJkko=",
  },
  {
    name: "outputs that refer to each other",
    attributes: 'outputs = [ "out" "other" ];',
    script: "echo $other > $out; echo $out > $other",
    refused: /cycle detected in build of '.*-NAME\.drv' in the references of output 'other' from output 'out'/,
  },
  {
    name: "a path of the machine in its text",
    script: "echo $outside/precious > $out",
    taken: (out) => expect(fs.readFileSync(out, "utf8")).toMatch(/\/outside\/precious\n$/),
  },
  {
    name: "setuid bits",
    script: "cp /bin/true $out; chmod 4755 $out",
    refused: /> chmod: changing permissions of '\/nix\/store\/\w+-NAME': Operation not permitted/,
  },
  {
    name: "a setgid directory",
    script: "mkdir $out; chmod 2755 $out",
    refused: /> chmod: changing permissions of '\/nix\/store\/\w+-NAME': Operation not permitted/,
  },
  {
    name: "a sparse file",
    script: "truncate -s 268435456 $out",
    hash: "sha256-i0m8zm7OlrVrhlQWfstmUtkm0UGxjKmWzncExQtSGhk=",
    taken: (out) => expect(fs.lstatSync(out).blocks).toBeLessThan(100),
  },
  { name: "fixed: a link to a file", attributes: FIXED, script: "ln -s $outside/hello $out", refused: FLAT },
  { name: "fixed: a directory", attributes: FIXED, script: "mkdir $out", refused: FLAT },
  { name: "fixed: an executable file", attributes: FIXED, script: "echo hello > $out; chmod 755 $out", refused: FLAT },
  {
    name: "fixed: a file that a process which lives on has open",
    attributes: FIXED,
    script: "echo hello > $out; ( exec 3>> $out; sleep 5; echo swapped >&3 ) > /dev/null 2>&1 &",
    hash: "sha256-HDfQGvQL4ugGkd48w99EN3ppmvuxfGjwgJZLL9Bx/BM=",
  },
];

const nameOf = (number: number): string => `output-${number}`;

/** Who builds: runs the command line on a store of that user's. */
interface Builder {
  readonly name: string;
  readonly possible: boolean;
  store(place: Place): string;
  firn(place: Place, ...args: string[]): Promise<Outcome>;
}

const builders: readonly Builder[] = [
  {
    name: "this user",
    possible: sandboxWorks(),
    store: (place) => place.store,
    firn: (place, ...args) => place.firn(...args),
  },
  {
    name: "an ordinary user",
    possible: isRoot && sandboxWorks(),
    store: (place) => join(place.directory, "user/store"),
    firn: async (place, ...args) => {
      const home = join(place.directory, "user");
      if (!fs.existsSync(home)) {
        fs.mkdirSync(home);
        fs.chownSync(home, ordinaryUser, ordinaryUser);
      }
      return asOrdinaryUser(args, {
        cwd: join(place.directory, "work"),
        env: { ...place.environment, NIX_REMOTE: join(home, "store"), HOME: home, TMPDIR: home },
      });
    },
  },
];

for (const builder of builders) {
  describe.skipIf(!builder.possible)(`outputs when ${builder.name} builds`, () => {
    let place: Place;
    let outside: string;
    let outcome: Outcome;
    /** Hashes of the outputs that were taken, by their path. */
    let taken: Map<string, string>;
    const inStore = (): string[] => fs.readdirSync(join(builder.store(place), "nix/store"));

    beforeAll(async () => {
      place = makePlace();
      fs.chmodSync(place.directory, 0o755);
      outside = join(place.directory, "outside");
      fs.mkdirSync(outside);
      fs.writeFileSync(join(outside, "precious"), "kept", { mode: 0o644 });
      fs.writeFileSync(join(outside, "hello"), "hello\n", { mode: 0o644 });
      const work = join(place.directory, "work");
      fs.writeFileSync(join(work, "input"), "an input");
      const attributes = cases.map(({ script, attributes = "" }, number) => {
        const name = nameOf(number);
        fs.writeFileSync(join(work, `${name}.sh`), script);
        return `${name} = derivation { name = "${name}"; system = builtins.currentSystem; builder = "/bin/sh"; PATH = "/bin:/usr/bin"; args = [ "-e" ./${name}.sh ]; input = ./input; outside = "${outside}"; ${attributes} };`;
      });
      fs.writeFileSync(join(work, "x.nix"), `{ ${attributes.join("\n")} }`);
      const options = ["--option", "sandbox-paths", HOST, "--keep-going", "--no-link"];
      outcome = await builder.firn(place, "build", ...options, "-f", "x.nix", ...cases.keys().map(nameOf));
      const info = await builder.firn(place, "path-info", "--all", "--json", "--json-format", "1");
      const infos = JSON.parse(info.out) as Record<string, { narHash: string }>;
      taken = new Map(Object.entries(infos).map(([path, { narHash }]) => [path, narHash]));
    });
    afterAll(() => removePath(place.directory));

    test.each(cases.map((each, number) => [each.name, each, nameOf(number)] as const))("%s", (_name, each, name) => {
      const path = [...taken.keys()].find((path) => path.endsWith(`-${name}`));
      if (each.refused !== undefined) {
        expect(outcome.err).toMatch(new RegExp(each.refused.source.replaceAll("NAME", name)));
        expect(outcome.err).toMatch(new RegExp(`error: build of .*-${name}\\.drv\\^`));
        expect(path).toBeUndefined();
        return;
      }
      const out = join(builder.store(place), path!);
      if (each.hash !== undefined) expect(taken.get(path!)).toBe(each.hash);
      if (each.link !== undefined)
        expect(fs.readlinkSync(out)).toBe(each.link.startsWith("/") ? each.link : join(outside, each.link));
      each.taken?.(out);
    });

    test("a machine's files stay as they are, and nothing unfinished stays", async () => {
      expect(outcome.code).toBe(1);
      expect(fs.readFileSync(join(outside, "precious"), "utf8")).toBe("kept");
      expect(fs.readdirSync(outside).sort()).toEqual(["hello", "precious"]);
      const valid = [...taken.keys()].map((path) => path.slice("/nix/store/".length));
      expect(inStore().sort()).toEqual([".links", ...valid].sort());
      expect(fs.readdirSync(join(builder.store(place), "nix/var/nix/builds"))).toEqual([]);
      expect(await builder.firn(place, "store", "verify", "--all", "--no-trust", "--quiet")).toMatchObject({
        code: 0,
        err: "",
      });
      expect(await builder.firn(place, "store", "gc", "--quiet")).toMatchObject({ code: 0, err: "" });
      expect(inStore()).toEqual([".links"]);
    });
  });
}
