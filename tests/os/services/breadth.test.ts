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
