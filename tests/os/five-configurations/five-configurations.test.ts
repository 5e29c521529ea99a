/** Five machines as users of NixOS write them, each built, booted and used. All of it is run with FIRN_ALL_STEPS. */
import { cpSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { canBootContainers } from "../../support/build-systems.ts";
import { bootConfiguration, type ContainerMachine } from "../../support/container-machine.ts";
import { addFromMakers, JELLYFIN } from "../../support/makers-archives.ts";
import type { Place } from "../../support/run-firn.ts";

const runs = canBootContainers && process.env.FIRN_ALL_STEPS !== undefined;
const here = import.meta.dirname;
/** What is booted in a container that has no network instead. */
const INSTEAD = `{
  imports = [ ./theirs.nix ];
  boot.isContainer = true;
  systemd.network.wait-online.enable = false;
}
`;
let machine: ContainerMachine;
const out = (command: string): Promise<string> => machine.out(command);
const boots = (name: string, prepare: (copy: string, place: Place) => Promise<void> = async () => undefined): void => {
  beforeAll(async () => {
    machine = await bootConfiguration(join(here, name), async (copy, place) => {
      cpSync(join(here, "authority.nix"), join(copy, "../authority.nix"));
      renameSync(join(copy, "configuration.nix"), join(copy, "theirs.nix"));
      writeFileSync(join(copy, "configuration.nix"), INSTEAD);
      await prepare(copy, place);
    });
  }, 900_000);
  afterAll(() => machine?.remove());
};
/** Waits until a command succeeds. */
const until = (command: string, tenths = 300): Promise<string> =>
  out(`for i in {1..${tenths}}; do ${command} >/dev/null 2>&1 && exit; sleep 0.1; done; ${command}; exit 1`);
/** Waits until a certificate is one of the authority, whose own is in /root/authority.pem then. */
async function certificate(host: string): Promise<string> {
  await out("curl -sk https://127.0.0.1:15000/roots/0 >/root/authority.pem");
  const curl = "curl -s --cacert /root/authority.pem";
  await until(`${curl} https://${host}/`);
  return curl;
}

describe.skipIf(!runs)("a web server", () => {
  boots("web");

  test("serves its pages, a program and what needs a password, with certificates", async () => {
    const curl = await certificate("example.test");
    expect(await out(`${curl} https://example.test/`)).toBe("<h1>Welcome to example.test</h1>");
    expect(await out(`${curl} https://www.example.test/api/x?y=1`)).toBe("hello /x?y=1 from https");
    expect(await out(`${curl} -I https://example.test/ | grep -i strict`)).toContain("max-age=31536000");
    const status = `${curl} -o /dev/null -w '%{http_code} %{redirect_url}'`;
    expect(await out(`${status} https://example.test/private/secret.txt`)).toBe("401");
    expect(await out(`${curl} -u alice:wonderland https://example.test/private/secret.txt`)).toBe("for alice");
    expect(await out(`${status} https://example.test/index.php`)).toBe("403");
    expect(await out(`${status} https://example.test/nothing`)).toBe("404");
    expect(await out(`${status} http://www.example.test/a`)).toBe("301 https://www.example.test/a");
    expect(await out(`${status} http://old.example.test/a`)).toBe("308 http://example.test/a");
    expect(await out("curl -s http://127.0.0.1/nginx_status")).toContain("Active connections");
  }, 60_000);

  test("is as the rest of its configuration says", async () => {
    expect(await out("hostname -f; date +%Z; echo $LANG; systemctl show -P DynamicUser api")).toMatch(
      /^web\.example\.test\nCES?T\nen_US\.UTF-8\nyes$/,
    );
    expect(await out("nft list ruleset")).toMatch(/tcp dport \{ 22, 80, 443 \} accept/);
    expect(await out("sshd -T | grep -E '^(permitrootlogin|passwordauthentication)'")).toBe(
      "permitrootlogin no\npasswordauthentication no",
    );
  });
});

describe.skipIf(!runs)("databases with backups", () => {
  boots("databases");

  test("PostgreSQL knows who comes by what name, and by which password", async () => {
    const query = (user: string, sql: string) => out(`cd / && runuser -u ${user} -- psql -d nextcloud -tAc "${sql}"`);
    await query("nextcloud", "CREATE TABLE notes AS SELECT 'mine' AS text");
    expect(await query("nextcloud", "SELECT current_user")).toBe("nextcloud");
    expect(await out("psql -U postgres -tAc 'SHOW shared_buffers'")).toBe("64MB");
    const reader = "psql -h 127.0.0.1 -U reader -d postgres -tAc 'SELECT current_user'";
    expect(await out(`PGPASSWORD=reader ${reader}`)).toBe("reader");
    expect((await machine.run(`PGPASSWORD=wrong ${reader}`)).err).toContain("authentication failed");
  });

  test("MariaDB and Redis serve their programs", async () => {
    await out(
      "runuser -u wordpress -- mariadb wordpress -e 'CREATE TABLE posts (n INT); INSERT INTO posts VALUES (3)'",
    );
    expect(await out("runuser -u wordpress -- mariadb -N wordpress -e 'SELECT n FROM posts'")).toBe("3");
    expect(await out("runuser -u nextcloud -- redis-cli -s /run/redis-nextcloud/redis.sock set a b")).toBe("OK");
  });

  test("dumps are made, kept, and bring everything back", async () => {
    await out("systemctl start postgresqlBackup-nextcloud mysql-backup && systemctl start restic-backups-offsite");
    expect(await out("cat /run/restic-log")).toBe("prepared\ncleaned");
    await out("psql -U postgres -d nextcloud -c 'DROP TABLE notes' && mariadb -e 'DROP TABLE wordpress.posts'");
    await out("restic-offsite restore latest --target /restored >/dev/null");
    await out("zstd -dc /restored/var/backup/postgresql/nextcloud.sql.zstd | psql -q -U postgres -d postgres 2>&1");
    await out("zcat /restored/var/backup/mysql/wordpress.gz | mariadb wordpress");
    expect(await out("psql -U postgres -d nextcloud -tAc 'SELECT text FROM notes'")).toBe("mine");
    expect(await out("mariadb -N wordpress -e 'SELECT n FROM posts'")).toBe("3");
    expect(await out("systemctl list-timers --no-legend | grep -cE 'postgresqlBackup|mysql-backup|restic'")).toBe("3");
  }, 60_000);
});

describe.skipIf(!runs)("a gateway", () => {
  boots("gateway");

  test("has its tunnel, if the kernel knows any", async () => {
    expect(await out("stat -c %a /var/lib/wireguard/wg0.key")).toBe("640");
    if ((await machine.run("ip link add probe type wireguard && ip link delete probe")).code !== 0) return;
    expect(await out("ip -4 -brief address show wg0")).toContain("10.100.0.1/24");
    expect(await out("wg show wg0 allowed-ips")).toContain("10.100.0.2/32");
  });

  test("shuts out who fails to log in", async () => {
    await out("ip address add 10.99.0.1/24 dev lo");
    const login = "ssh -o BatchMode=yes -o StrictHostKeyChecking=no stranger@10.99.0.1 true";
    for (let i = 0; i < 2; i++) expect((await machine.run(login)).err).toContain("Permission denied");
    await until("fail2ban-client status sshd | grep -q 10.99.0.1");
    await until("nft list ruleset | grep -q 10.99.0.1");
  }, 60_000);

  test("serves pages from a container, and passes on what comes through the tunnel", async () => {
    await until("curl -sf http://127.0.0.1:8080/pages/");
    expect(await out("curl -s http://127.0.0.1:8080/; curl -s http://127.0.0.1:8080/pages/")).toBe(
      "from a container\na page of the host",
    );
    expect(await out("docker ps --format '{{.Names}}'")).toBe("web");
    expect(await out("sysctl -n net.ipv4.ip_forward")).toBe("1");
    expect(await out("nft list ruleset")).toMatch(/oifname "eth0" masquerade/);
  }, 60_000);
});

describe.skipIf(!runs)("a machine of several people", () => {
  boots("people");
  const as = (user: string, command: string) => machine.run(`su - ${user} -c '${command.replaceAll("'", "'\\''")}'`);

  test("each may do what the rules say, and nothing else", async () => {
    expect((await as("alice", "sudo -n id -un")).out.trim()).toBe("root");
    expect((await as("bob", "sudo -n systemctl restart web.service && echo done")).out.trim()).toBe("done");
    expect((await as("bob", "sudo -n systemctl stop web.service")).code).not.toBe(0);
    expect((await as("carol", "sudo -n -u backup id -un")).out.trim()).toBe("backup");
    expect((await as("carol", "sudo -n id")).code).not.toBe(0);
  });

  test("has the accounts that are declared", async () => {
    expect(await out("getent passwd alice bob carol | cut -d: -f1,3,5-")).toBe(
      "alice:1000:Alice Liddell:/home/alice:/usr/bin/zsh\nbob:1001::/home/robert:/usr/bin/bash\ncarol:1500::/home/carol:/usr/bin/zsh",
    );
    expect(await out("id -Gn alice | tr ' ' '\\n' | sort | xargs; id -gn bob; stat -c '%a %U' /home/robert")).toBe(
      "developers users wheel\ndevelopers\n700 bob",
    );
    const hash = "$(getent shadow bob | cut -d: -f2)";
    expect(await out(`test "${hash}" = "$(cat /etc/nixos/bob.password)" && echo same`)).toBe("same");
    expect(await out("cat /etc/motd")).toBe("Be kind.");
    expect(await out("ls /var/lib/systemd/linger")).toBe("carol");
  });

  test("shells and programs are as they are declared", async () => {
    expect((await as("alice", "zsh -ic 'alias ll; alias gs; echo $EDITOR $PAGER $LESS $HISTSIZE'")).out.trim()).toBe(
      "ll='ls -l'\ngs='git status'\nnvim less -R 10000",
    );
    expect(
      (await as("alice", "git init -q r && git -C r branch --show-current && git -C r st -s && jq -n 1")).out,
    ).toBe("main\n1\n");
    expect((await as("bob", "echo $0; vi --version | head -1; alias vi")).out).toContain("bash");
  });

  test("cron and timers do their work as whom they should", async () => {
    await out("systemctl start tidy");
    expect(await out("cat /var/backup/tidy; stat -c %U /var/backup/tidy")).toBe("true\nbackup");
    await until("test -s /var/backup/started");
    await until("test -s /home/carol/ticks", 700);
    expect(await out("stat -c %U /home/carol/ticks; systemctl is-active tidy.timer")).toBe("carol\nactive");
  }, 90_000);
});

describe.skipIf(!runs)("Jellyfin behind nginx", () => {
  boots("media", (copy, place) => addFromMakers(copy, place, [JELLYFIN]));

  test("is shown with a certificate, and its library is shared", async () => {
    const curl = await certificate("jellyfin.example.test");
    expect(await out(`${curl} --http2 https://jellyfin.example.test/index.html`)).toBe("jellyfin's page");
    expect(await out(`${curl} -I https://jellyfin.example.test/ | grep -i x-content`)).toContain("nosniff");
    expect(await out("stat -c '%G' /srv/jellyfin; id -Gn alice")).toBe("media\nusers media");
    expect(await out("smbclient -N //127.0.0.1/media -c 'get film /root/film' 2>/dev/null; cat /root/film")).toBe(
      "pictures",
    );
    expect((await machine.run("smbclient -N //127.0.0.1/media -c 'put /root/film up'")).out).toContain("ACCESS_DENIED");
  }, 60_000);
});
