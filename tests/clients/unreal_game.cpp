// A game of four players that uses the example of Unreal, with stubs of the engine.
#include "PlayerAnalytics.h"

int main()
{
	TSharedRef<FPlayerAnalytics> Analytics = MakeShared<FPlayerAnalytics>();
	Analytics->Url = getenv("URL");
	Analytics->Key = getenv("KEY");
	Analytics->BatchEvents = 25;
	Analytics->BatchSeconds = 0.05;
	Analytics->RetrySeconds = 0.01;
	Analytics->QueueEvents = atoi(getenv("QUEUE"));
	if (getenv("HEARTBEATS")) { Analytics->HeartbeatSeconds = 0; }
	std::vector<std::string> Names;
	std::stringstream Text(getenv("NAMES"));
	for (std::string Name; std::getline(Text, Name, ',');) { Names.push_back(Name); }
	Analytics->Start();
	for (int Number = 0; Number < 120; Number++)
	{
		if (Number % 30 == 0) { Analytics->StartSession(FString::Printf(TEXT("p-%d"), Number / 30)); }
		TSharedRef<FJsonObject> Payload = MakeShared<FJsonObject>();
		Payload->SetStringField(TEXT("name"), Names[Number % Names.size()]);
		Payload->SetNumberField(TEXT("value"), Number);
		Analytics->Track(TEXT("design"), Payload);
		if (Number % 30 == 29) { Analytics->EndSession(); }
	}
	while (Analytics->Waiting()) { FTSTicker::GetCoreTicker().Tick(); }
}
