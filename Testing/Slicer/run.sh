#!/usr/bin/env bash
# Runs the module's own tests in an installed 3D Slicer: Testing/Slicer/run.sh /path/to/Slicer [more Slicer options]
# Exit code 0 if every test passed. Without a display, xvfb-run is used where it is installed.
set -eu
if [ $# -lt 1 ] || ! command -v "$1" >/dev/null; then
  echo "usage: $0 SLICER [more Slicer options]; SLICER is the Slicer program" >&2
  exit 2
fi
root="$(cd "$(dirname "$0")/../.." && pwd)"
slicer="$1"
shift
display=()
if [ "$(uname)" = Linux ] && [ -z "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then
  if command -v xvfb-run >/dev/null; then
    display=(xvfb-run --auto-servernum)
  else
    echo "$0: there is no display; install xvfb, or set QT_QPA_PLATFORM=offscreen" >&2
  fi
fi
exec ${display[@]+"${display[@]}"} "$slicer" --testing --no-splash "$@" \
  --additional-module-paths "$root/PCNSLSurvival" --python-code \
  "import slicer.testing; slicer.testing.runUnitTest([r'$root/PCNSLSurvival'], 'PCNSLSurvival')"
