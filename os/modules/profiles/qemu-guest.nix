# For machines that run in qemu: hardware-configuration.nix of such a machine imports it.
{
  boot.initrd.availableKernelModules = [
    "9p"
    "9pnet_virtio"
    "virtio_blk"
    "virtio_net"
    "virtio_pci"
    "virtio_scsi"
  ];
  boot.initrd.kernelModules = [
    "virtio_balloon"
    "virtio_console"
    "virtio_rng"
  ];
}
