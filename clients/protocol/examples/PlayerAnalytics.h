// Sends a game's events from Unreal Engine 5. Add "HTTP" and "Json" to PrivateDependencyModuleNames in the game's Build.cs,
// make it with MakeShared<FPlayerAnalytics>() in your game instance, set Url and Key, and call Start.
#pragma once

#include "CoreMinimal.h"
#include "Containers/Ticker.h"
#include "Dom/JsonObject.h"
#include "HttpModule.h"
#include "Interfaces/IHttpRequest.h"
#include "Interfaces/IHttpResponse.h"
#include "Serialization/JsonReader.h"
#include "Serialization/JsonSerializer.h"
#include "Serialization/JsonWriter.h"

class FPlayerAnalytics : public TSharedFromThis<FPlayerAnalytics>
{
public:
	// The REST API without a path, and the key that `scripts/games add` prints.
	FString Url = TEXT("https://events.example.com"), Key = TEXT("my-game.SECRET");
	FString Platform = TEXT("windows"), AppVersion = TEXT("1.0.0");
	// A batch is sent when it has so many events, or when so many seconds have passed.
	int32 BatchEvents = 100;
	double BatchSeconds = 30, HeartbeatSeconds = 60;
	// The longest wait before the second attempt. It doubles with each attempt.
	double RetrySeconds = 1;
	// Where more events wait, the oldest are dropped.
	int32 QueueEvents = 2000;

	void Start() { FTSTicker::GetCoreTicker().AddTicker(FTickerDelegate::CreateSP(this, &FPlayerAnalytics::Tick), 0.1f); }

	// Begin a play session. The player id is a pseudonym, never a name or an address.
	void StartSession(const FString& Player)
	{
		PlayerId = Player;
		SessionId = NewId();
		Sequence = 0;
		Began = NextHeartbeat = FPlatformTime::Seconds();
		NextHeartbeat += HeartbeatSeconds;
		Track(TEXT("session_start"), MakeShared<FJsonObject>());
	}

	// Note an event, on the game thread. Its id, number and time stay the same however often it is sent.
	void Track(const FString& EventType, const TSharedRef<FJsonObject>& Payload)
	{
		TSharedRef<FJsonObject> Client = MakeShared<FJsonObject>();
		Client->SetStringField(TEXT("platform"), Platform);
		Client->SetStringField(TEXT("app_version"), AppVersion);
		FString GameId, Secret;
		Key.Split(TEXT("."), &GameId, &Secret);
		TSharedRef<FJsonObject> Event = MakeShared<FJsonObject>();
		Event->SetStringField(TEXT("event_id"), NewId());
		Event->SetStringField(TEXT("event_type"), EventType);
		Event->SetStringField(TEXT("schema_version"), TEXT("1-0-0"));
		Event->SetStringField(TEXT("game_id"), GameId);
		Event->SetStringField(TEXT("player_id"), PlayerId);
		Event->SetStringField(TEXT("session_id"), SessionId);
		Event->SetNumberField(TEXT("sequence"), Sequence++);
		Event->SetStringField(TEXT("event_time"), FDateTime::UtcNow().ToIso8601());
		Event->SetObjectField(TEXT("client"), Client);
		Event->SetObjectField(TEXT("payload"), Payload);
		Queue.Add(Event);
		// Events that are on their way stay until their answer comes.
		if (Queue.Num() > FMath::Max(QueueEvents, Sent + 1)) { Queue.RemoveAt(Sent); }
	}

	void EndSession()
	{
		Track(TEXT("session_end"), SecondsOfPlay(TEXT("duration_seconds")));
		SessionId.Empty();
		if (Attempt == 0) { Due = 0; }
	}

	int32 Waiting() const { return Queue.Num(); }

private:
	TSharedRef<FJsonObject> SecondsOfPlay(const FString& Field) const
	{
		TSharedRef<FJsonObject> Payload = MakeShared<FJsonObject>();
		Payload->SetNumberField(Field, FMath::FloorToInt(FPlatformTime::Seconds() - Began));
		return Payload;
	}

	bool Tick(float)
	{
		const double Now = FPlatformTime::Seconds();
		if (!SessionId.IsEmpty() && Now >= NextHeartbeat)
		{
			NextHeartbeat = Now + HeartbeatSeconds;
			Track(TEXT("session_heartbeat"), SecondsOfPlay(TEXT("elapsed_seconds")));
		}
		const bool bIsFull = Attempt == 0 && Queue.Num() >= BatchEvents;
		if (Sent == 0 && Queue.Num() > 0 && (Now >= Due || bIsFull)) { Send(); }
		return true;
	}

	void Send()
	{
		TArray<TSharedPtr<FJsonValue>> Batch;
		for (; Sent < FMath::Min(Queue.Num(), FMath::Min(Most, BatchEvents)); Sent++)
		{
			Queue[Sent]->SetStringField(TEXT("sent_at"), FDateTime::UtcNow().ToIso8601());
			Batch.Add(MakeShared<FJsonValueObject>(Queue[Sent]));
		}
		FString Body;
		FJsonSerializer::Serialize(Batch, TJsonWriterFactory<>::Create(&Body));
		TSharedRef<IHttpRequest> Request = FHttpModule::Get().CreateRequest();
		Request->SetURL(Url + TEXT("/v1/events"));
		Request->SetVerb(TEXT("POST"));
		Request->SetHeader(TEXT("content-type"), TEXT("application/json"));
		Request->SetHeader(TEXT("x-api-key"), Key);
		Request->SetContentAsString(Body);
		Request->OnProcessRequestComplete().BindSP(this, &FPlayerAnalytics::OnAnswer);
		Request->ProcessRequest();
	}

	// Decide what each event of the request needs: nothing any more, or to be sent again.
	void OnAnswer(FHttpRequestPtr, FHttpResponsePtr Response, bool bHasAnswer)
	{
		const int32 Status = bHasAnswer && Response.IsValid() ? Response->GetResponseCode() : 0;
		TArray<TSharedPtr<FJsonObject>> Again;
		TSharedPtr<FJsonObject> Answer;
		const TArray<TSharedPtr<FJsonValue>>* Results = nullptr;
		const bool bIsJson = Status && FJsonSerializer::Deserialize(TJsonReaderFactory<>::Create(Response->GetContentAsString()), Answer);
		const bool bIsTooMuch = Status == 400 || Status == 413;
		if (bIsJson && Answer.IsValid() && Answer->TryGetArrayField(TEXT("results"), Results))
		{
			TMap<int32, TSharedPtr<FJsonObject>> Verdicts;
			for (const TSharedPtr<FJsonValue>& Result : *Results) { Verdicts.Add(Result->AsObject()->GetIntegerField(TEXT("index")), Result->AsObject()); }
			for (int32 Index = 0; Index < Sent; Index++)
			{
				const TSharedPtr<FJsonObject>* Verdict = Verdicts.Find(Index);
				if (!Verdict) { continue; }
				if ((*Verdict)->GetStringField(TEXT("status")) == TEXT("retry")) { Again.Add(Queue[Index]); }
				else { UE_LOG(LogTemp, Warning, TEXT("%s was refused: %s"), *Queue[Index]->GetStringField(TEXT("event_type")), *(*Verdict)->GetStringField(TEXT("message"))); }
			}
		}
		else
		{
			UE_LOG(LogTemp, Warning, TEXT("events could not be sent: %d"), Status);
			for (int32 Index = 0; Index < Sent && !(bIsTooMuch && Sent == 1); Index++) { Again.Add(Queue[Index]); }
			if (bIsTooMuch) { Most = FMath::Max(1, Sent / 2); }
		}
		// What is sent again goes first, so that the order stays.
		Queue.RemoveAt(0, Sent);
		Queue.Insert(Again, 0);
		Sent = 0;
		Attempt = Again.Num() > 0 ? Attempt + 1 : 0;
		const double RetryAfter = Status ? FCString::Atof(*Response->GetHeader(TEXT("Retry-After"))) : 0;
		const double Longest = FMath::Min(300.0, RetrySeconds * FMath::Pow(2.0, Attempt - 1.0));
		Due = FPlatformTime::Seconds() + (Attempt ? RetryAfter + FMath::FRand() * Longest : BatchSeconds);
	}

	static FString NewId() { return FGuid::NewGuid().ToString(EGuidFormats::DigitsWithHyphens); }

	FString PlayerId, SessionId;
	TArray<TSharedPtr<FJsonObject>> Queue;
	// How many events are on their way, the first of the queue; and how many a request may have.
	int32 Sent = 0, Most = 500, Attempt = 0, Sequence = 0;
	double Began = 0, NextHeartbeat = 0, Due = 0;
};
