/** What is switched: profiles and their generations, and whole systems. */

export { type BootPlan, planBoot } from "./os/boot-entries.ts";
export * from "./os/container.ts";

export { firstConfiguration, firstFlake, hardwareConfiguration } from "./os/generated-configuration.ts";

export { GenerationTree, type StoreView } from "./os/generation-tree.ts";
export { detectHardware, type Hardware, type HardwareOptions, type MountedFileSystem } from "./os/hardware.ts";
export { buildDiskImage, type ImageOptions } from "./os/image.ts";
export { type InstallOptions, installSystem } from "./os/install.ts";
export { type Machine, thisMachine } from "./os/machine.ts";
export { parseSystemManifest, type SystemManifest } from "./os/manifest.ts";
export { activateNixos, otherGeneration, requireNixos } from "./os/nixos.ts";
export { type SshMachineOptions, sshMachine } from "./os/ssh-machine.ts";
export {
  planSwitch,
  recoverSwitch,
  runningSystem,
  type SwitchContext,
  type SwitchEvent,
  type SwitchOutcome,
  type SwitchRequest,
  switchSystem,
} from "./os/switch.ts";
export type { UnitPlan } from "./os/switch-plan.ts";
export { openSystem, type System, systemFacts } from "./os/system.ts";
export { diffSystems, type SystemDiff } from "./os/system-diff.ts";
export { kvmWorks, startVm, type VmOptions } from "./os/vm.ts";
export * from "./profile/change.ts";
export * from "./profile/generations.ts";
export * from "./profile/location.ts";
export * from "./profile/manifest.ts";
