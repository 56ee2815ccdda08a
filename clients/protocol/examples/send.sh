#!/usr/bin/env bash
# Send a play session with curl: URL=https://events.example.com KEY=my-game.SECRET send.sh PLAYER_ID
set -euo pipefail

player=$1 session=$(cat /proc/sys/kernel/random/uuid) sequence=0
events=()

now() {
  date -u +%FT%T.%3NZ
}

# Note an event: its type and payload. Its id, number and time stay the same however often it is sent.
track() {
  events+=("{\"event_id\":\"$(cat /proc/sys/kernel/random/uuid)\",\"event_type\":\"$1\",\"schema_version\":\"1-0-0\",\
\"game_id\":\"${KEY%%.*}\",\"player_id\":\"$player\",\"session_id\":\"$session\",\"sequence\":$sequence,\
\"event_time\":\"$(now)\",\"client\":{\"platform\":\"linux\",\"app_version\":\"1.0.0\"},\"payload\":$2")
  sequence=$((sequence + 1))
}

# Send all events in one request. Each attempt stamps sent_at anew.
send() {
  local sent_at answer status
  wait=0
  sent_at=$(now)
  answer=$(printf '%s,"sent_at":"'"$sent_at"'"}\n' "${events[@]}" | gzip | curl --silent --max-time 15 \
    --header "x-api-key: $KEY" --header 'content-type: application/x-ndjson' --header 'content-encoding: gzip' \
    --data-binary @- --write-out '\n%{http_code} %header{retry-after}' "$URL/v1/events") || return 1
  read -r status wait <<<"${answer##*$'\n'}"
  case $status in
    # An event that was not stored says "retry". Then all are sent again, because copies count once.
    202 | 207 | 422) [[ $answer == *'"results"'* && $answer != *'"retry"'* ]] && echo "${answer%$'\n'*}" ;;
    429 | 5??) return 1 ;;
    *) echo "send.sh: the REST API answered $answer" >&2 && exit 1 ;;
  esac
}

track session_start '{}'
track progression '{"status":"start","level_1":"forest"}'
track score_submitted '{"leaderboard":"global","score":15200}'
track session_end '{"duration_seconds":90}'

# Wait longer after each attempt, and by chance, so that players do not all come back at once.
for attempt in {1..10}; do
  send && exit
  sleep "$((${wait:-0} + RANDOM % 2 ** attempt)).$((RANDOM % 10))"
done
echo "send.sh: the REST API could not be reached" >&2
exit 1
