/** Services and programs by their options, four machines of them, each used as its clients do. All of it is run with FIRN_ALL_STEPS. */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { canBootContainers } from "../../support/build-systems.ts";
import { bootConfiguration, type ContainerMachine } from "../../support/container-machine.ts";

const runs = canBootContainers && process.env.FIRN_ALL_STEPS !== undefined;
let machine: ContainerMachine;
const out = (command: string): Promise<string> => machine.out(command);
const boots = (name: string): void => {
  beforeAll(async () => {
    machine = await bootConfiguration(join(import.meta.dirname, name));
  }, 900_000);
  afterAll(() => machine?.remove());
};

describe.skipIf(!runs)("databases, backups and what guards them", () => {
  boots("databases");

  test("MariaDB has the databases and users that are declared", async () => {
    const query = (sql: string) => `mariadb -N shop -e "${sql}"`;
    await out(`runuser -u alice -- ${query("CREATE TABLE t (n INT); INSERT INTO t VALUES (5)")}`);
    expect(await out(query("SELECT n FROM t"))).toBe("5");
    expect(await out("mariadb -N old -e 'SELECT n FROM t'")).toBe("7");
    expect((await machine.run("runuser -u alice -- mariadb -N old -e 'SELECT 1'")).err).toContain("Access denied");
  });

  test("Caddy serves its hosts", async () => {
    expect(await out("curl -s -H 'Host: site.test' http://127.0.0.1/")).toBe("from caddy");
    expect(await out("cat /var/log/caddy/access-http:__site.test.log")).toContain("site.test");
  });

  test("Borg keeps files and brings them back", async () => {
    await out("echo mine >/home/alice/file && touch /home/alice/x.tmp && systemctl start --wait borgbackup-job-home");
    expect(await out("borg-job-home list --short")).toBe(await out("cat /srv/borg/last-archive"));
    await out("cd /tmp && borg-job-home extract ::$(cat /srv/borg/last-archive)");
    expect(await out("cat /tmp/home/alice/file; ls /tmp/home/alice")).toBe("mine\nfile");
  }, 60_000);

  test("fail2ban shuts out who fails to log in", async () => {
    await out("ip address add 10.99.0.1/24 dev lo");
    const login = "ssh -o BatchMode=yes -o StrictHostKeyChecking=no stranger@10.99.0.1 true";
    for (let i = 0; i < 3; i++) expect((await machine.run(login)).err).toContain("Permission denied");
    await out("for i in {1..100}; do fail2ban-client status sshd | grep -q 10.99.0.1 && exit; sleep 0.1; done; exit 1");
    expect(await out("nft list ruleset")).toContain("10.99.0.1");
    await out("fail2ban-client set sshd unbanip 10.99.0.1");
  }, 60_000);
});

describe.skipIf(!runs)("what a network of people uses", () => {
  boots("network");

  test("Samba shares files with who knows the password", async () => {
    await out("(echo word; echo word) | smbpasswd -s -a alice && echo data >/root/up");
    await out("smbclient //127.0.0.1/share -U alice%word -c 'put /root/up up'");
    expect(await out("stat -c %U /srv/share/up; cat /srv/share/up")).toBe("alice\ndata");
    expect((await machine.run("smbclient //127.0.0.1/share -U alice%wrong -c ls")).out).toContain("LOGON_FAILURE");
  });

  test("Prometheus collects the machine's figures, with its gateway and its manager of alerts", async () => {
    const query = "http://127.0.0.1:9090/api/v1/query";
    await out(`for i in {1..100}; do curl -s "${query}?query=up" | grep -q '"1"' && exit; sleep 0.1; done; exit 1`);
    expect(await out("curl -s http://127.0.0.1:9100/metrics")).toContain('node_systemd_unit_state{name="cups.socket"');
    await out("echo 'jobs 3' | curl -s --data-binary @- http://127.0.0.1:9091/metrics/job/x");
    expect(await out("curl -s http://127.0.0.1:9091/metrics")).toContain('jobs{instance="",job="x"} 3');
    expect(await out("curl -s http://127.0.0.1:9093/-/ready")).toBe("OK");
  }, 60_000);

  test("NetworkManager has the declared connection, and its group may make others", async () => {
    await out(
      "for i in {1..100}; do ip address show br0 2>&1 | grep -q 10.20.30.1/24 && exit; sleep 0.1; done; exit 1",
    );
    const add = "nmcli connection add type bridge ifname b2 con-name two ip4 10.9.9.9/24";
    expect((await machine.run(`runuser -u alice -- ${add}`)).code).not.toBe(0);
    expect(await out(`cd / && runuser -u bob -- ${add}`)).toContain("successfully added");
  }, 60_000);

  test("Avahi gives the machine its name on the network", async () => {
    expect(await out("avahi-resolve -4 -n office.local")).toMatch(/^office\.local\t10\./);
  });

  test("CUPS prints", async () => {
    await machine.run("socat -u TCP-LISTEN:9101,bind=127.0.0.1,fork CREATE:/root/printed >/dev/null 2>&1 &");
    await out(
      "lpadmin -p press -E -v socket://127.0.0.1:9101 -m raw 2>/dev/null && echo page >/root/page && lp -d press /root/page",
    );
    await out("for i in {1..200}; do grep -q page /root/printed && exit; sleep 0.1; done; lpstat -t; exit 1");
  }, 60_000);

  test("zsh and fish have the machine's variables and aliases", async () => {
    expect(await out("su - alice -c 'zsh -ic \"hi; echo $EVERYWHERE\"'")).toBe("hello from zsh\nyes");
    expect(await out("su - bob -c 'fish -ic \"hi; abbr; echo $EVERYWHERE\"'")).toBe(
      "hello from fish\nabbr -a -- gco 'git checkout'\nyes",
    );
  });

  test("tmux, git and vim are as they are declared", async () => {
    await out("cd /root && git init -q r && test $(git -C r branch --show-current) = trunk && git lfs version");
    expect(await out("git -C /root/r check-attr diff a.pdf")).toBe("a.pdf: diff: pdf");
    await out("TMUX_TMPDIR=/tmp tmux new-session -d 'sleep 20'");
    expect(await out("TMUX_TMPDIR=/tmp tmux show -gv prefix; TMUX_TMPDIR=/tmp tmux show -gv mode-keys")).toBe(
      "C-a\nvi",
    );
    expect(await out("vim --version | head -1")).toContain("IMproved");
  });

  test("cron runs what is in the table", async () => {
    await out("for i in {1..700}; do test -s /home/alice/ran && exit; sleep 0.1; done; exit 1");
    expect(await out("stat -c '%U' /home/alice/ran")).toBe("alice");
  }, 80_000);
});

describe.skipIf(!runs)("containers of other systems", () => {
  boots("containers");

  test("podman runs one as a service", async () => {
    const page = "curl -s --retry 20 --retry-connrefused --retry-delay 1 http://127.0.0.1:8080";
    expect(await out(`${page}/; curl -s http://127.0.0.1:8080/more/`)).toBe("from a container\nmore");
    expect(await out("podman inspect web --format '{{.Config.Env}}'")).toContain("WORDS=two words");
    await out("systemctl stop podman-web");
    expect(await out("podman ps -aq")).toBe("");
    await out("systemctl start podman-prune");
  }, 60_000);

  test("docker runs it for the members of its group", async () => {
    const docker = (words: string) => out(`cd / && runuser -u alice -- docker ${words}`);
    await docker("load -qi /etc/image.tar");
    await docker("run -d --name web2 -p 127.0.0.1:8081:80 localhost/web:1");
    expect(await out("curl -s --retry 20 --retry-connrefused --retry-delay 1 http://127.0.0.1:8081/")).toBe(
      "from a container",
    );
    await docker("rm -f web2");
    expect((await machine.run("runuser -u nobody -- docker ps")).err).toContain("permission denied");
  }, 60_000);
});

describe.skipIf(!runs)("what houses and small offices run besides", () => {
  boots("household");
  const figures = (port: number, path = "/metrics") =>
    out(`curl -sS --retry 20 --retry-connrefused --retry-delay 1 'http://127.0.0.1:${port}${path}'`);

  test("Unbound knows names of its own, and is told more while it runs", async () => {
    expect(await out("dig +short door.house @127.0.0.7")).toBe("192.0.2.7");
    await out("unbound-control -s /run/unbound.ctl local_data gate.house. A 192.0.2.8");
    expect(await out("dig +short gate.house @127.0.0.7")).toBe("192.0.2.8");
  });

  test("chrony, earlyoom, vnStat, at and wsdd run as they are told", async () => {
    expect(await out("systemctl is-active earlyoom vnstat atd wsdd radvd")).toBe(
      "active\nactive\nactive\nactive\nactive",
    );
    // A container may not set the clock, so that chrony does not start in one.
    expect(await out("chronyd -p -f /etc/chrony/chrony.conf")).toMatch(
      /server time\.house iburst\n[\s\S]*driftfile \/var\/lib\/chrony\/chrony\.drift[\s\S]*allow 192\.0\.2\.0\/24/,
    );
    expect(await out("stat -c %U:%a /var/lib/chrony /var/lib/chrony/chrony.keys; id -u _chrony")).toMatch(
      /^_chrony:750\nroot:640\n\d+$/,
    );
    expect(await out("tr '\\0' ' ' </proc/$(pidof earlyoom)/cmdline")).toContain("-m 3 -s 10 -r 3600 --prefer");
    expect(await out("tr '\\0' ' ' </proc/$(systemctl show -p MainPID --value wsdd)/cmdline")).toContain(
      "--workgroup HOUSE",
    );
    await out("su - alice -c 'echo id -un \\>later | at now 2>/dev/null'");
    await out("for i in {1..100}; do grep alice /home/alice/later 2>/dev/null && exit; sleep 0.2; done; atq; exit 1");
  }, 60_000);

  test("rules and translation of addresses stand without the firewall, and once after they are loaded again", async () => {
    await out("systemctl reload nftables");
    const rules = await out("nft list ruleset");
    expect(rules.match(/203\.0\.113\.9 drop/g)).toHaveLength(1);
    expect(rules).toMatch(/table ip firn-nat[\s\S]*masquerade/);
    expect(rules).not.toContain("firn-firewall");
  });

  test("Syncthing has the declared machines, directories and settings", async () => {
    await out("systemctl start syncthing-init; systemctl is-active syncthing-init");
    const config = "/var/lib/syncthing/.config/syncthing/config.xml";
    const text = await out(`cat ${config}`);
    expect(text).toMatch(/<device id="7CFNTQM-[^"]*" name="laptop"/);
    expect(text).toMatch(/<folder id="photos" label="photos" path="\/var\/lib\/syncthing\/photos"/);
    // Its own first directory is not declared.
    expect([...text.matchAll(/^ {4}<folder id="(.*?)"/gm)].map(([, id]) => id)).toEqual(["photos"]);
    expect(text.match(/^ {4}<device id=/gm)).toHaveLength(2);
    expect(text).toMatch(/<versioning type="simple">\s*<param key="keep" val="5">/);
    expect(text).toMatch(/<theme>dark<\/theme>[\s\S]*<urAccepted>-1<\/urAccepted>/);
    await out("ls -d /var/lib/syncthing/photos/.stfolder");
  }, 90_000);

  test("exporters show figures of nginx, PostgreSQL, Redis, MariaDB and of pages", async () => {
    expect(await figures(9113)).toMatch(/nginx_up\{house="mine"\} 1/);
    expect(await figures(9187)).toMatch(/^pg_up 1$/m);
    expect(await figures(9121)).toMatch(/^redis_up 1$/m);
    expect(await figures(9104)).toMatch(/^mysql_up 1$/m);
    expect(await figures(9115, "/probe?module=page&target=http://127.0.0.1/nginx_status")).toMatch(
      /^probe_success 1$/m,
    );
  }, 60_000);

  test("finds files by their names, but none below names that are left out", async () => {
    await out("mkdir -p /srv/found /srv/hidden && touch /srv/found/needle /srv/hidden/needle");
    await out("systemctl start --wait plocate-updatedb");
    expect(await out("su - alice -c 'locate needle'")).toBe("/srv/found/needle");
  });

  test("direnv sets variables by directory, and says nothing", async () => {
    await out("su - alice -c 'mkdir d && echo export HERE=yes >d/.envrc && direnv allow d'");
    const { out: text, err } = await machine.run("su - alice -c 'cd d && direnv exec . sh -c \"echo \\$HERE\"'");
    expect([text, err]).toEqual(["yes\n", ""]);
  });

  test("sends mail by way of a provider", async () => {
    expect(await out("su - alice -c 'command -v sendmail'")).toBe("/run/wrappers/bin/sendmail");
    expect(await out("su - alice -c 'sendmail --pretend someone@example.org </dev/null'")).toMatch(
      /host = 127\.0\.0\.1\nport = 2525[\s\S]*from = house@example\.org/,
    );
  });
});
