/** What configurations say besides services, used as its users do. All of it is run with FIRN_ALL_STEPS. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { canBootContainers } from "../../support/build-systems.ts";
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
