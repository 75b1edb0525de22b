#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# image.sh REF OUT.tar: an image (docker archive) of busybox-static, without any builder: it can pause and serve HTTP.
set -euo pipefail
ref=$1 out=$2
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

root=$dir/root
mkdir -p "$root"/{bin,etc,proc,sys,dev,tmp,www,root}
cp /bin/busybox "$root/bin/busybox"
for applet in sh sleep httpd ip nc; do
	ln -s busybox "$root/bin/$applet"
done
echo 'root:x:0:0:root:/root:/bin/sh' > "$root/etc/passwd"
echo hello > "$root/www/index.html"

tar --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 -C "$root" -cf "$dir/layer.tar" .
layer=$(sha256sum "$dir/layer.tar" | cut -d' ' -f1)
arch=$(dpkg --print-architecture)
jq -n --arg layer "sha256:$layer" --arg arch "$arch" '{ architecture: $arch, os: "linux",
	config: { Env: ["PATH=/bin"], Cmd: ["/bin/sleep", "infinity"], WorkingDir: "/" },
	rootfs: { type: "layers", diff_ids: [$layer] }, history: [{ created_by: "image.sh" }] }' > "$dir/config.json"
jq -n --arg ref "$ref" '[{ Config: "config.json", RepoTags: [$ref], Layers: ["layer.tar"] }]' > "$dir/manifest.json"
tar -C "$dir" -cf "$out" manifest.json config.json layer.tar
