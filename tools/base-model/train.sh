#!/bin/sh
# Trains Mini and writes public/models/mini.safetensors.
#
#   tools/base-model/train.sh                       from scratch (a day on one CPU core)
#   tools/base-model/train.sh --resume              goes on where the last call was stopped
#   tools/base-model/train.sh --init CHECKPOINT     keeps the autoencoder and text encoder of a Mini checkpoint
#                                                   and goes on with its UNet
#   tools/base-model/train.sh --export              writes the checkpoint from what is trained so far
#
# Lengths in processor minutes: VAE_MINUTES, TEXT_MINUTES, UNET_MINUTES, EYE_MINUTES, JUDGE_MINUTES. UNET_SIZES: pixels ("64 128"). PYTHON: an interpreter with torch and numpy.
# All work lies in .cache/base-model (or MINI_CACHE); a finished stage leaves a file STAGE.done there.
set -eu
cd "$(dirname "$0")"
PYTHON=${PYTHON:-/usr/bin/python3}
CACHE=${MINI_CACHE:-../../.cache/base-model}
export OPENBLAS_NUM_THREADS="${MINI_THREADS:-1}" # its own pool would spin beside torch's
mkdir -p "$CACHE"

stage() { # NAME COMMAND...: runs a stage once
  name=$1
  shift
  if [ -e "$CACHE/$name.done" ]; then return; fi
  echo "== $name"
  "$@"
  touch "$CACHE/$name.done"
}
python() { nice -n 19 "$PYTHON" -u "$@"; }

case "${1:-}" in
  --export)
    "$PYTHON" export.py
    exec "$PYTHON" export_captioner.py
    ;;
  --resume)
    rm -f "$CACHE/unet.done" "$CACHE/eye.done" "$CACHE/judge.done" # longer minutes go on with what was finished
    RESUME=--resume
    ;;
  --init)
    rm -f "$CACHE"/*.done "$CACHE"/*.state.pt "$CACHE"/latents-*.pt
    python parts.py "$(cd "$OLDPWD" && realpath "$2")"
    touch "$CACHE/vae.done" "$CACHE/text.done"
    RESUME=
    ;;
  "")
    rm -f "$CACHE"/*.done "$CACHE"/*.state.pt "$CACHE"/latents-*.pt "$CACHE"/*.safetensors
    RESUME=
    ;;
  *) echo "unknown option $1" >&2 && exit 2 ;;
esac

stage drawings node rasterise.mjs "$CACHE"
stage vae python vae.py --minutes "${VAE_MINUTES:-120}" $RESUME
stage text python contrastive.py --minutes "${TEXT_MINUTES:-30}" $RESUME
stage latents python latents.py
stage unet python unet.py --minutes "${UNET_MINUTES:-1200}" --sizes ${UNET_SIZES:-64 128} $RESUME
stage eye python eye.py --minutes "${EYE_MINUTES:-60}" $RESUME
stage judge python judge.py --minutes "${JUDGE_MINUTES:-60}" $RESUME
"$PYTHON" export.py
"$PYTHON" export_captioner.py
