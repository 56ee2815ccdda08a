extends SceneTree
# A game for Godot 3: analytics.gd is the example, translated.

var analytics
var names = OS.get_environment("NAMES").split(",")


func _init():
	analytics = load("res://analytics.gd").new()
	analytics.url = OS.get_environment("URL")
	analytics.key = OS.get_environment("KEY")
	analytics.batch_events = 25
	analytics.batch_seconds = 0.05
	analytics.retry_seconds = 0.01
	analytics.queue_events = int(OS.get_environment("QUEUE"))
	analytics.heartbeat_seconds = 0.0 if OS.get_environment("HEARTBEATS") else 60.0
	get_root().add_child(analytics)
	var number = 0
	for player in range(4):
		analytics.start_session("p-%d" % player)
		for _n in range(30):
			analytics.track("design", {"name": names[number % names.size()], "value": number})
			number += 1
		analytics.end_session()
	connect("idle_frame", self, "_on_frame")


func _on_frame():
	if analytics.waiting() == 0:
		quit()
