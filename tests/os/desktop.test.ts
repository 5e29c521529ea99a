/** The desktop of the template `os-desktop`, on a screen that is only memory: a container has no seat. Run with FIRN_ALL_STEPS. */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { canBootContainers, checkout } from "../support/build-systems.ts";
import { bootConfiguration, type ContainerMachine } from "../support/container-machine.ts";

/** Logs alice in at once, as greetd does for who has given the password, without a terminal and a screen. */
const INSTEAD = `{
  imports = [ ./theirs.nix ];
  boot.isContainer = true;
  systemd.network.wait-online.enable = false;
  users.users.alice = { isNormalUser = true; extraGroups = [ "networkmanager" "video" ]; };
  services.greetd.settings = {
    terminal.vt = "none";
    initial_session = {
      user = "alice";
      command = "env WLR_BACKENDS=headless WLR_LIBINPUT_NO_DEVICES=1 WLR_RENDERER=pixman sway-session";
    };
  };
}
`;

describe.skipIf(!canBootContainers || process.env.FIRN_ALL_STEPS === undefined)("a desktop", () => {
  let machine: ContainerMachine;
  const as = (command: string): Promise<string> =>
    machine.out(
      `cd / && runuser -u alice -- env XDG_RUNTIME_DIR=/run/user/1000 WAYLAND_DISPLAY=wayland-1 \
DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/1000/bus bash -c '${command}'`,
    );

  beforeAll(async () => {
    machine = await bootConfiguration(join(checkout, "templates/os-desktop"), async (copy) => {
      renameSync(join(copy, "configuration.nix"), join(copy, "theirs.nix"));
      writeFileSync(join(copy, "configuration.nix"), INSTEAD);
    });
    await as("for i in {1..300}; do test -S /run/user/1000/wayland-1 && exit; sleep 0.1; done; exit 1");
  }, 900_000);
  afterAll(() => machine?.remove());

  test("greetd starts the session, and its windows are on the screen", async () => {
    expect(await machine.out("systemctl is-active greetd graphical.target display-manager")).toBe(
      "active\nactive\nactive",
    );
    await as("foot -e sleep 60 >/dev/null 2>&1 &");
    const sway = "SWAYSOCK=$(ls /run/user/1000/sway-ipc*) swaymsg -t get_tree";
    await as(`for i in {1..200}; do ${sway} | grep -q app_id.*foot && exit; sleep 0.1; done; exit 1`);
    await as("grim /tmp/screen.png");
    const picture = readFileSync(join(machine.place.directory, "root/tmp/screen.png"));
    expect(picture.subarray(1, 4).toString()).toBe("PNG");
    expect([picture.readUInt32BE(16), picture.readUInt32BE(20)]).toEqual([1280, 720]);
    expect(await machine.out("pgrep -u alice swaynag || echo none")).toBe("none");
  }, 60_000);

  test("programs find sound and fonts", async () => {
    expect(await as("pw-cli info 0")).toContain("PipeWire:Interface:Core");
    expect(
      await as("for i in {1..100}; do wpctl status | grep WirePlumber && exit; sleep 0.1; done; exit 1"),
    ).toContain("WirePlumber");
    expect(await as("fc-match monospace")).toContain("DejaVu Sans Mono");
    expect(await as("firefox-esr --version")).toContain("Firefox");
  }, 60_000);

  test("what is around it runs", async () => {
    const units = "NetworkManager rtkit-daemon upower avahi-daemon cups.socket";
    expect(await machine.out(`systemctl is-active ${units} | sort -u`)).toBe("active");
    expect(await as("nmcli -t -f STATE general")).not.toBe("");
  });
});
