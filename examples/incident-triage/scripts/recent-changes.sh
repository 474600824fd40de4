#!/usr/bin/env bash
# Lists what changed for a service: recent-changes.sh <service> [window]
set -euo pipefail

service=${1:?usage: recent-changes.sh <service> [window]}
window=${2:-2h}

curl --fail --silent --show-error --max-time 10 --get \
  --data-urlencode "service=${service}" \
  --data-urlencode "since=${window}" \
  "${DEPLOYS_URL:?set DEPLOYS_URL}/v1/changes" |
  jq -r '.changes[] | [.at, .kind, .author, .summary] | @tsv'
