/** Archives with what stands in for programs that their makers publish. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { DebianLock } from "@firn/fetch";
import { checkout } from "./build-systems.ts";
import { type ArchivePackage, lockedIndex, makeArchiveKey, publish } from "./debian-archive.ts";
import { type Place, runProgram } from "./run-firn.ts";

/** A program that its makers publish in an archive of their own. */
export interface Maker {
  /** Name of the archive and of the package that users add. */
  readonly name: string;
  /** The suite, when it is not that of Debian. */
  readonly suite?: string;
  readonly packages: readonly ArchivePackage[];
}

/** What stands in for Jellyfin: packages of its names and places, whose server takes its arguments and shows its pages. */
export const JELLYFIN: Maker = {
  name: "jellyfin",
  packages: [
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
  ],
};

const GRAFANA_SERVER = `#!/usr/bin/python3
import base64, configparser, http.server, json, os, pathlib, re, sys
words = dict(zip(sys.argv[2::2], sys.argv[3::2]))
assert sys.argv[1] == "server" and os.path.exists(words["-homepath"] + "/conf/defaults.ini")
read = configparser.RawConfigParser()
read.read_file(open(words["-config"]))
def value(section, key):
    text = read[section][key]
    file = re.fullmatch(r"\\$__file\\{(.*)\\}", text)
    return open(file[1]).read().strip() if file else text
assert len(value("security", "secret_key")) >= 9
pathlib.Path(value("database", "path")).parent.mkdir(exist_ok=True)
pathlib.Path(value("database", "path")).touch()
login = base64.b64encode((value("security", "admin_user") + ":" + value("security", "admin_password")).encode()).decode()
declared = pathlib.Path(value("paths", "provisioning"))
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/api/health":
            code, answer = 200, {"database": "ok", "host": self.headers["Host"], "root": value("server", "root_url")}
        elif self.headers["Authorization"] != "Basic " + login:
            code, answer = 401, {"message": "Unauthorized"}
        else:
            code, answer = 200, [json.load(open(file)) for file in sorted(declared.joinpath(self.path[1:]).iterdir())]
        self.send_response(code)
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())
http.server.HTTPServer((value("server", "http_addr"), int(value("server", "http_port"))), Handler).serve_forever()
`;

/** What stands in for Grafana: its server reads its configuration and tells what is declared to it to who has the password. */
export const GRAFANA: Maker = {
  name: "grafana",
  suite: "stable",
  packages: [
    {
      fields: { Package: "grafana", Version: "12.1.0", Depends: "python3, musl" },
      files: {
        "usr/share/grafana/bin/grafana": GRAFANA_SERVER,
        "usr/share/grafana/conf/defaults.ini": "app_mode = production\n",
        "usr/share/grafana/tools/none": "",
        "usr/share/grafana/public/robots.txt": "none\n",
      },
    },
    { fields: { Package: "musl", Version: "1.2.3" } },
  ],
};

/** Adds programs to a lock beside the configuration, from archives of the test's, as their users do. */
export async function addFromMakers(directory: string, place: Place, makers: readonly Maker[]): Promise<void> {
  const archives = join(place.directory, "archives");
  const key = await makeArchiveKey();
  mkdirSync(archives);
  writeFileSync(join(archives, "ring.gpg"), key.ring);
  const locked = JSON.parse(readFileSync(join(checkout, "os/pkgs/debian.lock.json"), "utf8")) as DebianLock;
  const further = { "non-free-firmware": [] };
  const suites = { bookworm: "debian", "bookworm-updates": "debian", "bookworm-security": "debian-security" };
  for (const [suite, archive] of Object.entries(suites)) {
    const more = suite === "bookworm-updates" ? "" : lockedIndex(locked, archive);
    await publish(join(archives, archive), suite, { key, packages: [], further, more });
  }
  const mirrors = `debian=file://${archives}/debian debian-security=file://${archives}/debian-security`;
  const settings = ["--option", "deb-mirrors", mirrors, "--option", "deb-keyring", join(archives, "ring.gpg")];
  for (const { name, suite, packages } of makers) {
    const own = await makeArchiveKey();
    const keyFile = join(archives, `${name}.asc`);
    writeFileSync(keyFile, own.public);
    await publish(join(archives, name), suite ?? "bookworm", { key: own, packages });
    const source = ["--archive", `${name}=file://${archives}/${name}`, "--key", keyFile];
    if (suite !== undefined) source.push("--suite", suite);
    const added = await runProgram(["deb", "add", ...source, name, ...settings], {
      cwd: directory,
      env: place.environment,
    });
    if (added.code !== 0) throw new Error(added.err);
  }
}
