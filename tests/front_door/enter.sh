#!/bin/bash
# Run a command in a directory as though that were the root, for whoever made new namespaces.
#
#   enter.sh ROOT PYTHON ACCESS USER [VOLUME:TARGET:ACCESS]... -- COMMAND...
#
# The system's programs and libraries come from outside, read-only. ACCESS is ro or rw.
set -euo pipefail
root=$1 python=$2 access=$3 user=$4
shift 4

bind() { # SOURCE TARGET ACCESS
    mkdir -p "$2"
    mount --rbind "$1" "$2"
    mount -o "remount,bind,$3" "$2"
}

mount --bind "$root" "$root"
for outside in /usr "$python"; do
    bind "$outside" "$root$outside" ro
done
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for device in null zero full random urandom; do
    touch "$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
done
ln -s /proc/self/fd "$root/dev/fd"
mkdir "$root/dev/shm"
mount -t tmpfs -o size=64m,mode=1777 tmpfs "$root/dev/shm"
while [ "$1" != -- ]; do
    IFS=: read -r source target volume_access <<<"$1"
    bind "$source" "$root$target" "$volume_access"
    shift
done
shift
mount -o "remount,bind,$access" "$root"
# Its own network has nothing but loopback.
ip link set lo up
if [ "$user" = root ]; then
    exec chroot "$root" "$@"
fi
exec chroot "$root" setpriv --reuid "$user" --regid "$user" --clear-groups \
    --no-new-privs --bounding-set=-all "$@"
