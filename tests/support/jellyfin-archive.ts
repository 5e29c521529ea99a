/** An archive with what stands in for Jellyfin, as its makers publish it. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { DebianLock } from "@firn/fetch";
import { checkout } from "./build-systems.ts";
import { type ArchivePackage, lockedIndex, makeArchiveKey, publish } from "./debian-archive.ts";
import { type Place, runProgram } from "./run-firn.ts";

/** What stands in for Jellyfin: packages of its names and places, whose server tells its arguments and shows its pages. */
const JELLYFIN: readonly ArchivePackage[] = [
  { fields: { Package: "jellyfin", Version: "10.9", Depends: "jellyfin-server, jellyfin-web, jellyfin-ffmpeg6" } },
  {
    fields: { Package: "jellyfin-server", Version: "10.9", Depends: "busybox-static, bash" },
    files: {
      "usr/bin/jellyfin": '#!/usr/bin/bash\nexec /usr/lib/jellyfin/bin/jellyfin "$@"\n',
      "usr/lib/jellyfin/bin/jellyfin": `#!/usr/bin/bash
while [ $# -gt 0 ]; do declare "\${1#--}=$2"; shift 2; done
touch "$datadir/data" "$configdir/system.xml" "$cachedir/cache" "$logdir/log"
test -x "$ffmpeg" && exec busybox httpd -f -p 127.0.0.1:8096 -h "$webdir"
`,
    },
  },
  {
    fields: { Package: "jellyfin-web", Version: "10.9" },
    files: { "usr/share/jellyfin/web/index.html": "jellyfin's page\n" },
  },
  {
    fields: { Package: "jellyfin-ffmpeg6", Version: "6.0" },
    files: { "usr/lib/jellyfin-ffmpeg/ffmpeg": "#!/usr/bin/bash\n" },
  },
];

/** Adds Jellyfin to a lock beside the configuration, from an archive of the test's, as its users do. */
export async function addJellyfin(directory: string, place: Place): Promise<void> {
  const archives = join(place.directory, "archives");
  const key = await makeArchiveKey();
  const maker = await makeArchiveKey();
  mkdirSync(archives);
  writeFileSync(join(archives, "ring.gpg"), key.ring);
  writeFileSync(join(archives, "jellyfin.asc"), maker.public);
  const locked = JSON.parse(readFileSync(join(checkout, "os/pkgs/debian.lock.json"), "utf8")) as DebianLock;
  const further = { "non-free-firmware": [] };
  const suites = { bookworm: "debian", "bookworm-updates": "debian", "bookworm-security": "debian-security" };
  for (const [suite, archive] of Object.entries(suites)) {
    const more = suite === "bookworm-updates" ? "" : lockedIndex(locked, archive);
    await publish(join(archives, archive), suite, { key, packages: [], further, more });
  }
  await publish(join(archives, "jellyfin"), "bookworm", { key: maker, packages: JELLYFIN });
  const settings = [
    ...[
      "--option",
      "deb-mirrors",
      `debian=file://${archives}/debian debian-security=file://${archives}/debian-security`,
    ],
    ...["--option", "deb-keyring", join(archives, "ring.gpg")],
  ];
  const source = ["--archive", `jellyfin=file://${archives}/jellyfin`, "--key", join(archives, "jellyfin.asc")];
  const added = await runProgram(["deb", "add", ...source, "jellyfin", ...settings], {
    cwd: directory,
    env: place.environment,
  });
  if (added.code !== 0) throw new Error(added.err);
}
