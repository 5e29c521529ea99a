/** Profiles and their generations, and whole systems. */

export { type BootPlan, biosLoader, planBoot } from "./boot/boot-entries.ts";
export { type ConfigurationContext, findSystemValue, type OsConfiguration } from "./configuration/find-value.ts";
export { firstConfiguration, firstFlake, hardwareConfiguration } from "./configuration/generated-configuration.ts";
export { moduleConfiguration } from "./configuration/module-configuration.ts";
export * from "./configuration/options.ts";

export { GenerationTree, type StoreView } from "./generation/generation-tree.ts";
export { parseSystemManifest, type SystemManifest } from "./generation/manifest.ts";
export { openSystem, type System, systemFacts } from "./generation/system.ts";
export * from "./image/container.ts";
export { buildDiskImage, type ImageOptions } from "./image/disk-image.ts";
export { type InstallOptions, installSystem } from "./image/install.ts";
export { kvmWorks, startVm, type VmOptions } from "./image/vm.ts";
export type { Elevation } from "./machine/elevation.ts";
export { detectHardware, type Hardware, type HardwareOptions, type MountedFileSystem } from "./machine/hardware.ts";
export { type Machine, thisMachine } from "./machine/machine.ts";
export { type SshMachineOptions, sshMachine } from "./machine/ssh-machine.ts";
export * from "./profile/change.ts";
export { type CleanReport, cleanProfiles } from "./profile/clean.ts";
export {
  addSource,
  type ConfigurationSource,
  generationSource,
  installSource,
  keepSource,
} from "./profile/generation-source.ts";
export * from "./profile/generations.ts";
export * from "./profile/manifest.ts";
export * from "./profile/user-environment.ts";
export { activateNixos, otherGeneration, requireNixos } from "./switch/nixos.ts";
export {
  planSwitch,
  pruneBootMenu,
  recoverSwitch,
  runningSystem,
  type SwitchContext,
  type SwitchEvent,
  type SwitchOutcome,
  type SwitchRequest,
  switchSystem,
} from "./switch/switch.ts";
export type { UnitPlan } from "./switch/switch-plan.ts";
export { diffSystems, type SystemDiff } from "./switch/system-diff.ts";
