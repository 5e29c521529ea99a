/** What configurations say besides services, used as its users do. All of it is run with FIRN_ALL_STEPS. */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { canBootContainers, checkout } from "../../support/build-systems.ts";
import { bootConfiguration, type ContainerMachine } from "../../support/container-machine.ts";

const runs = canBootContainers && process.env.FIRN_ALL_STEPS !== undefined;

describe.skipIf(!runs)("a machine with a bit of everything", () => {
  let machine: ContainerMachine;
  const out = (command: string): Promise<string> => machine.out(command);
  const asAlice = (command: string): Promise<string> => out(`su - alice -c '${command}'`);

  beforeAll(async () => {
    machine = await bootConfiguration(join(import.meta.dirname, "breadth"), async (copy) => {
      const key = ["-keyout", join(copy, "authority.key"), "-out", join(copy, "authority.pem")];
      execFileSync("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=mine", ...key], {
        stdio: "ignore",
      });
    });
  }, 900_000);
  afterAll(() => machine?.remove());

  test("has packages by their names in nixpkgs, those of overlays, and Python with its modules", async () => {
    expect(await asAlice('tool; fdfind --version | cut -d" " -f1; dig -v 2>&1 | cut -d- -f1')).toBe(
      "mine\nfdfind\nDiG 9.18.49",
    );
    expect(await asAlice('python3 -c "import systemd.journal; print(systemd.journal.LOG_INFO)"')).toBe("6");
    expect(await out("cat /etc/app.toml")).toBe('title = "one"\n\n[servers]\n\n[servers.first]\nports = [1, 2]');
  });

  test("has its rules and devices of the network", async () => {
    const rules = await out("nft list ruleset");
    expect(rules).toMatch(
      /chain rpfilter \{[\s\S]*fib saddr \. mark oif exists accept\n\t\tlog prefix "rpfilter drop: "/,
    );
    expect(rules).toMatch(/chain forward-allow \{[\s\S]*iifname "lan" accept/);
    expect(rules).toMatch(/table inet mine \{\n\tchain early/);
    expect(rules).toMatch(/table ip firn-nat[\s\S]*dnat to 10\.0\.0\.5:22/);
    expect(rules).toMatch(/table ip6 firn-nat[\s\S]*dnat to \[fd00::5\]:22/);
    expect(await out("cat /etc/systemd/network/40-bond0.netdev")).toMatch(
      /\[Bond\]\nMIIMonitorSec=100ms\nMode=active-backup/,
    );
    expect(await out("od -An -tx1 /etc/hostid; hostid")).toBe("ee ff c0 00\n00c0ffee");
    expect(await asAlice("echo $http_proxy $FROM_INIT $LESS; echo $PATH")).toMatch(
      /^http:\/\/proxy\.test:3128 yes -R\n.*\/home\/alice\/bin:/,
    );
  });

  test("trusts an authority of its own besides those of Debian", async () => {
    const bundle = "/etc/ssl/certs/ca-certificates.crt";
    expect(Number(await out(`grep -c BEGIN ${bundle}`))).toBeGreaterThan(100);
    expect(
      await out(
        `openssl verify -CAfile ${bundle} /etc/nixos/authority.pem 2>&1 || openssl crl2pkcs7 -nocrl -certfile ${bundle} | openssl pkcs7 -print_certs -noout | grep mine`,
      ),
    ).toContain("mine");
  });

  test("has agents of ssh and GnuPG for who is logged in", async () => {
    const session = "runuser -u alice -- env -i HOME=/home/alice XDG_RUNTIME_DIR=/run/user/1000";
    await out("for i in {1..100}; do test -S /run/user/1000/ssh-agent && exit; sleep 0.1; done; exit 1");
    expect((await machine.run(`${session} bash -lc 'ssh-add -l'`)).out).toContain("no identities");
    expect(await out(`${session} /usr/bin/systemctl --user is-active gpg-agent.socket`)).toBe("active");
  }, 30_000);

  test("prints to files of PDF", async () => {
    await out("systemctl is-active ensure-printers; lpstat -v");
    await asAlice("echo a page > page.txt; lp -d pdf page.txt");
    await out(
      "for i in {1..300}; do ls /home/alice/pdf/*.pdf >/dev/null 2>&1 && exit; sleep 0.1; done; lpstat -t; journalctl -u cups -o cat | tail -20; exit 1",
    );
    expect(await out("head -c 5 /home/alice/pdf/*.pdf; stat -c ' %U' /home/alice/pdf/*.pdf")).toBe("%PDF- alice");
  }, 60_000);

  test("has plugins of tmux and files of Neovim", async () => {
    await out("TMUX_TMPDIR=/tmp tmux new-session -d 'sleep 60'");
    await out(
      "for i in {1..50}; do TMUX_TMPDIR=/tmp tmux show -gv @mine 2>/dev/null | grep -q yes && exit; sleep 0.1; done; exit 1",
    );
    expect(await out("nvim --headless -c 'echo g:mine' -c q 2>&1")).toBe("7");
  });

  test("gives accounts ids for containers, and knows what it was made of", async () => {
    expect(await out("cat /etc/subuid; grep -c . /etc/subgid")).toBe("alice:100000:65536\nbob:700000:10\n1");
    expect(await out("cat /etc/nix/machines")).toBe("ssh://nix@builder.test x86_64-linux - 3 1 kvm - -");
    expect(
      await out("cat /run/current-system/configuration-revision; cat /run/current-system/extra-dependencies"),
    ).toMatch(/^revision-1\/nix\/store\/.*-empty-file$/);
    expect(await out("readlink -f /run/current-system")).toMatch(/-firn-system-broad-broad-/);
    expect(await out("ls -d /usr/share/man/man1 /usr/share/doc 2>/dev/null; sudo -ll | head -1")).toContain(
      "/usr/share/man/man1",
    );
  });
});

describe.skipIf(!runs)("a small office", () => {
  let machine: ContainerMachine;
  const out = (command: string): Promise<string> => machine.out(command);
  const until = (command: string): Promise<string> =>
    out(`for i in {1..300}; do ${command} >/dev/null 2>&1 && exit; sleep 0.1; done; ${command}; exit 1`);

  beforeAll(async () => {
    machine = await bootConfiguration(join(import.meta.dirname, "office"));
  }, 900_000);
  afterAll(() => machine?.remove());

  test("delivers mail to users, by aliases and tables, and sends on what is for others", async () => {
    await out("echo hello | su - bob -c 'sendmail root sales@example.test'");
    await until("grep -rl hello /var/spool/mail/alice /var/spool/mail/bob | grep -c . | grep -x 2");
    const send = (from: string, to: string, subject: string, port = 25): Promise<string> =>
      out(
        `printf 'Subject: ${subject}\\n\\nfrom a program\\n' | curl -s smtp://127.0.0.1:${port} --mail-from ${from} --mail-rcpt ${to} -T - 2>&1; echo $?`,
      );
    expect(await send("a@b.test", "team@example.test", "one", 587)).toBe("0");
    await until("grep -rl 'Subject: one' /var/spool/mail/alice /var/spool/mail/bob | grep -c . | grep -x 2");
    expect(await send("spam@bad.test", "bob@example.test", "two")).not.toBe("0");
    expect(await send("a@b.test", "bob@example.test", "a lottery")).not.toBe("0");
    expect(await send("a@b.test", "nobody-here@example.test", "three")).not.toBe("0");
    expect(await send("a@b.test", "someone@far.test", "four")).toBe("0");
    await until("grep -F 'mail RCPT TO:<someone@far.test>' /run/told");
    expect(await out("postconf -h myhostname message_size_limit; mailq | tail -1")).toBe(
      "office.example.test\n1000000\nMail queue is empty",
    );
  }, 120_000);

  test("has pages in PHP that know their database", async () => {
    const page = "wiki kept 20M Europe/Zurich office /page?x=1";
    expect(await out("curl -s 'http://localhost/page?x=1'")).toBe(page);
    expect(await out("curl -s 'http://127.0.0.1:8090/page?x=1'")).toBe(page);
    await out("systemctl reload phpfpm-wiki && systemctl start wiki-jobs");
    expect(await out("od -An -tx1 /run/wiki-jobs")).toBe("c3 84 0a");
  }, 60_000);

  test("keeps values, files and torrents", async () => {
    expect(await out("printf 'set k 0 0 1\\r\\nv\\r\\nget k\\r\\nquit\\r\\n' | nc -q 1 127.0.0.1 11211")).toContain(
      "STORED\r\nVALUE k 0 1\r\nv",
    );
    await out("echo one >/root/file && rsync /root/file rsync://127.0.0.1/public/ && rm /root/file");
    expect(
      await out("rsync rsync://127.0.0.1/public/file /root/ && cat /root/file && stat -c %U /srv/public/file"),
    ).toBe("one\nalice");
    await until("transmission-remote -n alice:wonderland -si | grep '/srv/torrents'");
    expect(await out("transmission-remote -l 2>&1 | grep -o '401: Unauthorized' | head -1")).toBe("401: Unauthorized");
  }, 60_000);

  test("passes messages of devices on to who may read them", async () => {
    const as = (user: string, password: string) => `-h 127.0.0.1 -u ${user} -P ${password}`;
    await out(`mosquitto_pub ${as("lamp", "light")} -t home/lamp -m on -r`);
    await out(`mosquitto_pub ${as("guest", "secret")} -t home/lamp -m off -r`);
    expect(await out(`mosquitto_sub ${as("guest", "secret")} -t home/lamp -C 1 -W 10`)).toBe("on");
    expect((await machine.run(`mosquitto_pub ${as("lamp", "wrong")} -t home/lamp -m off`)).code).not.toBe(0);
  }, 60_000);

  test("tells its providers of names which address it has", async () => {
    await out("systemctl start inadyn");
    const told = await out("cat /run/told");
    const login = Buffer.from("office:p&ss|word").toString("base64");
    expect(told).toContain(`/nic/update?system=dyndns&hostname=office.dyn.test&myip=203.0.113.7 Basic ${login}`);
    expect(told).toContain("/set?name=home.dyn.test&address=203.0.113.8");
    expect(await out("systemctl is-enabled ddclient.timer inadyn.timer")).toBe("enabled\nenabled");
    expect(await out("cat /etc/notes")).toBe("F 1 644 notes\nL /dev/null notes");
  }, 60_000);
});

describe.skipIf(!runs)("ways into a network, and a screen", () => {
  let machine: ContainerMachine;
  const out = (command: string): Promise<string> => machine.out(command);
  const until = (command: string): Promise<string> =>
    out(`for i in {1..300}; do ${command} >/dev/null 2>&1 && exit; sleep 0.1; done; ${command}; exit 1`);

  beforeAll(async () => {
    machine = await bootConfiguration(join(import.meta.dirname, "access"), async (copy) => {
      // A screen takes the desktop's packages, which are of the same day as those that come with Firn.
      const lock = (file: string): { packages: object } => JSON.parse(readFileSync(join(checkout, file), "utf8"));
      const common = lock("os/pkgs/debian.lock.json");
      const packages = { ...lock("templates/os-desktop/debian.lock.json").packages, ...common.packages };
      writeFileSync(join(copy, "debian.lock.json"), JSON.stringify({ ...common, packages }));
      for (const name of ["office", "away"]) {
        const file = (suffix: string): string => join(copy, `${name}.${suffix}`);
        const key = ["-nodes", "-keyout", file("key"), "-out", file("pem")];
        const openssl = (...args: string[]): string =>
          execFileSync("openssl", args, { encoding: "utf8", stdio: "pipe" });
        openssl("req", "-x509", "-newkey", "rsa:2048", "-subj", `/CN=${name}`, ...key);
        const line = openssl("x509", "-in", file("pem"), "-noout", "-fingerprint", "-sha256");
        writeFileSync(file("fingerprint"), line.replace(/^.*=/, ""));
      }
    });
  }, 900_000);
  afterAll(() => machine?.remove());

  test("a tunnel of OpenVPN between two networks", async () => {
    await out(
      "ip netns add away && ip link add here type veth peer name there netns away && ip address add 10.7.0.1/24 dev here && ip link set here up && ip -n away address add 10.7.0.2/24 dev there && ip -n away link set there up",
    );
    expect((await machine.run("ping -c 1 -W 1 10.8.0.2")).code).not.toBe(0);
    await out("systemctl start openvpn-away");
    await until("ping -c 1 -W 1 10.8.0.2");
    expect(await out("cat /run/office-up; ip -n away -br address show away")).toMatch(
      /^up office\naway .*10\.8\.0\.2 peer 10\.8\.0\.1/,
    );
    await out(
      "socat -u SYSTEM:'echo through the tunnel' TCP-LISTEN:99,bind=10.8.0.1 & ip netns exec away socat -u TCP:10.8.0.1:99,retry=50,interval=0.1 CREATE:/run/heard; wait",
    );
    expect(await out("cat /run/heard; ip -s link show office | grep -c mtu")).toBe("through the tunnel\n1");
  }, 60_000);

  test("hostapd reads its settings and keeps the network, as far as it can without a card", async () => {
    await until("hostapd_cli -p /run/hostapd -i wlan0 status | grep -x state=ENABLED");
    expect(await out("hostapd_cli -p /run/hostapd -i wlan0 get_config")).toMatch(
      /ssid=mine \\xc3\\xa9[\s\S]*key_mgmt=WPA-PSK-SHA256/,
    );
    expect(await out("grep -c 'wpa_passphrase=correct horse battery' /run/hostapd/wlan0.conf")).toBe("1");
  }, 60_000);

  test("Cage gives its program a screen", async () => {
    await until("test -s /run/user/1000/shown");
    expect(await out("cat /run/user/1000/shown; stat -c %U /run/user/1000/shown")).toBe("wayland-0 foot\nalice");
    expect(await out("loginctl show-user alice -p State")).toBe("State=active");
  }, 60_000);

  test("accounts that a service makes have credentials", async () => {
    expect(await out("cat /run/secretive")).toBe("correct horse batterysecretive");
  });

  test("logs of nginx are rotated as NixOS says", async () => {
    expect(await out("grep -A 12 nginx /etc/logrotate.conf")).toMatch(
      /^"\/var\/log\/nginx\/\*\.log" \{[\s\S]* {2}rotate 3\n {2}su nginx nginx\n\}/,
    );
    await out(
      "echo line >/var/log/nginx/error.log && logrotate -f /etc/logrotate.conf && systemctl is-active logrotate.timer",
    );
    expect(await out("cat /var/log/nginx/error.log.1")).toBe("line");
  });
});
