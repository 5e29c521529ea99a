/** A home server as a user of NixOS writes it: every service is used as its clients do. */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { canBootContainers } from "../../support/build-systems.ts";
import { bootConfiguration, type ContainerMachine } from "../../support/container-machine.ts";
import { addFromMakers, GRAFANA, JELLYFIN } from "../../support/makers-archives.ts";

describe.skipIf(!canBootContainers)("a home server", () => {
  let machine: ContainerMachine;
  const out = (command: string): Promise<string> => machine.out(command);
  const status = "-s -o /dev/null -w '%{http_code} %{redirect_url}'";

  beforeAll(async () => {
    machine = await bootConfiguration(join(import.meta.dirname, "home-server"), (copy, place) =>
      addFromMakers(copy, place, [JELLYFIN, GRAFANA]),
    );
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

  test("shows Grafana through nginx, with the source of data that is declared", async () => {
    const host = "-H 'Host: figures.home.test' http://127.0.0.1";
    await out(`for i in {1..100}; do curl -sf ${host}/api/health && exit; sleep 0.1; done; exit 1`);
    expect(JSON.parse(await out(`curl -s ${host}/api/health`))).toEqual({
      database: "ok",
      host: "figures.home.test",
      root: "http://figures.home.test/",
    });
    expect(await out(`curl ${status} ${host}/datasources`)).toBe("401");
    expect(JSON.parse(await out(`curl -s -u admin:secret ${host}/datasources`))).toMatchObject([
      { apiVersion: 1, datasources: [{ name: "Prometheus", access: "proxy", jsonData: { timeInterval: "15s" } }] },
    ]);
    const [providers] = JSON.parse(await out(`curl -s -u admin:secret ${host}/dashboards`));
    expect(await out(`cat ${providers.providers[0].options.path}/index.html`)).toBe("the page");
    expect(await out("stat -c '%a %U' /var/lib/grafana /var/lib/grafana/secret_key")).toBe("700 grafana\n600 grafana");
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
