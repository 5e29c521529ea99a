/** A home server as a user of NixOS writes it: every service is used as its clients do. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { DebianLock } from "@firn/fetch";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { canBootContainers, checkout } from "../../support/build-systems.ts";
import { bootConfiguration, type ContainerMachine } from "../../support/container-machine.ts";
import { type ArchivePackage, lockedIndex, makeArchiveKey, publish } from "../../support/debian-archive.ts";
import { type Place, runProgram } from "../../support/run-firn.ts";

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
async function addJellyfin(directory: string, place: Place): Promise<void> {
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

describe.skipIf(!canBootContainers)("a home server", () => {
  let machine: ContainerMachine;
  const out = (command: string): Promise<string> => machine.out(command);
  const status = "-s -o /dev/null -w '%{http_code} %{redirect_url}'";

  beforeAll(async () => {
    machine = await bootConfiguration(join(import.meta.dirname, "home-server"), addJellyfin);
  }, 900_000);
  afterAll(() => machine?.remove());

  test("shows Jellyfin through nginx, with a certificate that an authority has signed", async () => {
    await out("for i in {1..300}; do test -e /run/post-run && exit; sleep 0.1; done; exit 1");
    await out("curl -sk https://127.0.0.1:15000/roots/0 >/root/authority.pem");
    const trusted = "--cacert /root/authority.pem";
    expect(await out(`curl -s ${trusted} https://media.home.test/index.html`)).toBe("jellyfin's page");
    expect(await out(`curl ${status} http://media.home.test/a`)).toBe("301 https://media.home.test/a");
    expect(await out("stat -c '%a %G' /var/lib/acme/media.home.test/key.pem")).toBe("640 nginx");
    expect(await out("stat -c '%a %U' /var/lib/jellyfin/config/system.xml /var/cache/jellyfin/cache")).toBe(
      "600 jellyfin\n600 jellyfin",
    );
    await out("systemctl start acme-order-renew-media.home.test");
    expect(await out("journalctl -u acme-order-renew-media.home.test -o cat")).toContain("no renewal");
  }, 60_000);

  test("nginx asks for passwords, limits requests and passes streams on", async () => {
    const host = "-H 'Host: files.home.test' http://127.0.0.1";
    expect(await out(`curl ${status} ${host}/`)).toBe("401");
    expect(await out(`curl -s -u alice:secret ${host}/`)).toBe("the page");
    expect(await out(`curl ${status} -u alice:wrong ${host}/`)).toBe("401");
    expect(await out(`curl ${status} ${host}/few`)).toBe("200");
    expect(await out(`curl ${status} ${host}/few`)).toBe("503");
    expect(await out("curl -s http://127.0.0.1:7000/index.html")).toBe("jellyfin's page");
  });

  test("PostgreSQL has the databases and users that are declared", async () => {
    const query = (user: string, sql: string) => out(`cd / && runuser -u ${user} -- psql -tAc "${sql}"`);
    expect(await query("alice", "SELECT current_user, current_database()")).toBe("alice|alice");
    expect(await query("alice", "CREATE TABLE t AS SELECT 42 AS n; SELECT n FROM t")).toContain("42");
    expect(await query("postgres", "SELECT datname FROM pg_database WHERE datname = 'first'")).toBe("first");
    expect(await query("postgres", "SELECT rolcreatedb FROM pg_roles WHERE rolname = 'alice'")).toBe("t");
    expect(await query("postgres", "SHOW max_connections")).toBe("20");
    expect((await machine.run("cd / && runuser -u nginx -- psql -tAc 'SELECT 1' alice")).err).toContain("role");
  });

  test("Redis answers to those who know the password, each server with its own settings", async () => {
    expect(await out("redis-cli -a secret --no-auth-warning set a b")).toBe("OK");
    expect(await out("redis-cli -a secret --no-auth-warning get a")).toBe("b");
    expect(await out("redis-cli get a")).toContain("NOAUTH");
    expect(await out("redis-cli -p 6390 config get maxmemory")).toBe("maxmemory\n20971520");
    expect(await out("stat -c '%a' /var/lib/redis/redis.conf /run/redis/made.conf")).toBe("600\n600");
  });

  test("restic keeps files and databases, and brings them back", async () => {
    await out("echo mine >/home/alice/file && touch /home/alice/x.tmp && systemctl start restic-backups-home");
    await out("systemctl start restic-backups-databases && rm /home/alice/file /home/alice/x.tmp");
    await out("restic-home restore latest --path /home --target / >/dev/null");
    expect(await out("cat /home/alice/file; ls /home/alice")).toBe("mine\nfile");
    expect(await out("restic-home dump latest --path /stdin stdin")).toContain("CREATE TABLE public.t");
    // Nothing is kept of the output of a command that fails.
    expect((await machine.run("systemctl start restic-backups-broken")).code).toBe(1);
    expect(await out("ls /srv/restic/snapshots | wc -l")).toBe("2");
    await out("systemctl reset-failed restic-backups-broken");
    expect(await out("systemctl is-active restic-backups-home.timer")).toBe("active");
  }, 60_000);

  test("dnsmasq gives names, to the machine's own programs too", async () => {
    expect(await out("getent hosts nas.lan.test")).toMatch(/^10\.1\.2\.3 /);
  });
});
