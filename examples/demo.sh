#!/usr/bin/env bash
# The main job, three times: a model only rumoured, a real video model, a real language model.
# `make demo` runs it; on its own it needs costline on the path. It stops at the first command that fails.
set -euo pipefail
cd "$(dirname "$0")/.."

ask() {
    printf '\n\033[1m%s\033[0m\n$' "$1"
    shift
    printf ' %q' "$@"
    printf '\n'
    "$@"
}

ask 'One minute of Sora-class video: 20B parameters, a million tokens, 20 steps without guidance' \
    costline generate --params 20B --tokens 1M --steps 20 --branches 1 --on 8xa100-sxm-80gb
ask 'Beside it: what the article of February 2024 said, computed again' \
    costline audit sora-2024
ask 'A real video model, from its config.json' \
    costline generate examples/wan2.1-t2v-14b --resolution 1280x720 --frames 81 --on 8xh100-sxm
ask 'A real language model, from its config.json' \
    costline serve examples/llama-3.1-8b/config.json --input 2000 --output 500 --on 1xh100-sxm
