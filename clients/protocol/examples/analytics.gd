extends Node
## Sends a game's events. Godot 4: make this script an autoload with the name Analytics.

## The REST API without a path, and the key that `scripts/games add` prints.
var url := "https://events.example.com"
var key := "my-game.SECRET"
var device := {"platform": "linux", "app_version": "1.0.0"}
## A batch is sent when it has so many events, or after so many seconds.
var batch_events := 100
var batch_seconds := 30.0
var heartbeat_seconds := 60.0
## The longest wait before the second attempt. It doubles with each attempt.
var retry_seconds := 1.0
## Where more events wait, the oldest are dropped.
var queue_events := 2000

var _http := HTTPRequest.new()
var _crypto := Crypto.new()
var _queue := []
# How many events are on their way, the first of the queue; and how many a request may have.
var _sent := 0
var _most := 500
var _attempt := 0
var _wait := 0.0
var _player_id := ""
var _session_id := ""
var _sequence := 0
var _began := 0.0
var _next_heartbeat := 0.0


func _ready() -> void:
	add_child(_http)
	_http.timeout = 15
	_http.request_completed.connect(_on_answer)


func _process(delta: float) -> void:
	_wait -= delta
	if _session_id != "" and _now() >= _next_heartbeat:
		_next_heartbeat = _now() + heartbeat_seconds
		track("session_heartbeat", {"elapsed_seconds": int(_now() - _began)})
	var is_full := _attempt == 0 and _queue.size() >= batch_events
	if _sent == 0 and not _queue.is_empty() and (_wait <= 0.0 or is_full):
		_send()


## Begin a play session. The player id is a pseudonym, never a name or an address.
func start_session(player_id: String) -> void:
	_player_id = player_id
	_session_id = _uuid()
	_sequence = 0
	_began = _now()
	_next_heartbeat = _began + heartbeat_seconds
	track("session_start", {})


## Note an event. Its id, number and time are set here, and stay the same however often it is sent.
func track(event_type: String, payload: Dictionary) -> void:
	_queue.append({
		"event_id": _uuid(), "event_type": event_type, "schema_version": "1-0-0",
		"game_id": key.split(".")[0], "player_id": _player_id, "session_id": _session_id,
		"sequence": _sequence, "event_time": _timestamp(), "client": device, "payload": payload,
	})
	_sequence += 1
	while _queue.size() > max(queue_events, _sent + 1):
		# Events that are on their way stay until their answer comes.
		_queue.remove_at(_sent)


func end_session() -> void:
	track("session_end", {"duration_seconds": int(_now() - _began), "end_reason": "exit"})
	_session_id = ""
	flush()


## Send what waits now, unless the platform has asked to wait.
func flush() -> void:
	if _attempt == 0:
		_wait = 0.0


func waiting() -> int:
	return _queue.size()


func _send() -> void:
	_sent = int(min(_queue.size(), min(_most, batch_events)))
	var batch := []
	for index in range(_sent):
		_queue[index]["sent_at"] = _timestamp()
		batch.append(_queue[index])
	var headers := ["content-type: application/json", "x-api-key: " + key]
	if _http.request(url + "/v1/events", headers, HTTPClient.METHOD_POST, JSON.stringify(batch)) != OK:
		_settle(_part(0, _sent), 0.0)


# Decide what each event of the request needs: nothing any more, or to be sent again.
func _on_answer(
	_result: int, status: int, headers: PackedStringArray, body: PackedByteArray
) -> void:
	var answer = JSON.parse_string(body.get_string_from_utf8())
	var again := []
	if answer is Dictionary and answer.has("results"):
		var verdicts := {}
		for verdict in answer["results"]:
			verdicts[int(verdict["index"])] = verdict
		for index in range(_sent):
			var verdict: Dictionary = verdicts.get(index, {})
			if verdict.get("status") == "retry":
				again.append(_queue[index])
			elif not verdict.is_empty():
				push_warning("%s was refused: %s" % [_queue[index]["event_type"], verdict["message"]])
	elif (status == 400 or status == 413) and _sent == 1:
		push_warning("%s was refused: %d" % [_queue[0]["event_type"], status])
	else:
		if status == 400 or status == 413:
			_most = int(max(1, _sent / 2))
		push_warning("events could not be sent: %d" % status)
		again = _part(0, _sent)
	var retry_after := 0.0
	for header in headers:
		if header.to_lower().begins_with("retry-after:"):
			retry_after = float(header.split(":")[1])
	_settle(again, retry_after)


func _settle(again: Array, retry_after: float) -> void:
	# What is sent again goes first, so that the order stays.
	_queue = again + _part(_sent, _queue.size())
	_sent = 0
	_attempt = _attempt + 1 if again else 0
	var longest: float = min(300.0, retry_seconds * pow(2.0, _attempt - 1))
	_wait = retry_after + randf() * longest if again else batch_seconds


func _part(begin: int, end: int) -> Array:
	var found := []
	for index in range(begin, end):
		found.append(_queue[index])
	return found


func _now() -> float:
	return Time.get_unix_time_from_system()


func _timestamp() -> String:
	var milliseconds := int(_now() * 1000.0)
	var seconds := Time.get_datetime_string_from_unix_time(milliseconds / 1000)
	return "%s.%03dZ" % [seconds, milliseconds % 1000]


func _uuid() -> String:
	var hex := _crypto.generate_random_bytes(16).hex_encode()
	var parts := [hex.substr(0, 8), hex.substr(8, 4), hex.substr(13, 3), hex.substr(17, 3), hex.substr(20)]
	return "%s-%s-4%s-a%s-%s" % parts
