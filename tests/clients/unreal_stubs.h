// What the example of Unreal needs of the engine, with the names and types that the engine gives it.
#pragma once

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#define TEXT(text) text
#define UE_LOG(category, level, ...) (printf(__VA_ARGS__), puts(""))
using int32 = int;

struct FString
{
	std::string Text;
	FString(const char* text = "") : Text(text) {}
	FString(const std::string& text) : Text(text) {}
	const char* operator*() const { return Text.c_str(); }
	bool operator==(const FString& other) const { return Text == other.Text; }
	bool operator<(const FString& other) const { return Text < other.Text; }
	FString operator+(const FString& other) const { return Text + other.Text; }
	bool IsEmpty() const { return Text.empty(); }
	void Empty() { Text.clear(); }
	bool Split(const FString& by, FString* left, FString* right) const
	{
		const auto at = Text.find(by.Text);
		if (at == std::string::npos) { return false; }
		left->Text = Text.substr(0, at);
		right->Text = Text.substr(at + by.Text.size());
		return true;
	}
	template <class... T> static FString Printf(const char* form, T... values)
	{
		char text[1000];
		snprintf(text, sizeof text, form, values...);
		return text;
	}
};
struct FCString { static double Atof(const char* text) { return atof(text); } };

struct FMath
{
	template <class T> static T Min(T a, T b) { return a < b ? a : b; }
	template <class T> static T Max(T a, T b) { return a > b ? a : b; }
	static double Pow(double a, double b) { return std::pow(a, b); }
	static int32 FloorToInt(double value) { return int32(std::floor(value)); }
	static float FRand() { return float(rand()) / float(RAND_MAX); }
};

// A pointer that may be null, and one that may not.
template <class T> struct TSharedRef;
template <class T> struct TSharedPtr
{
	std::shared_ptr<T> Held;
	TSharedPtr() = default;
	template <class U> TSharedPtr(const TSharedPtr<U>& other) : Held(other.Held) {}
	T* operator->() const { return Held.get(); }
	bool IsValid() const { return bool(Held); }
};
template <class T> struct TSharedRef : TSharedPtr<T>
{
	explicit TSharedRef(std::shared_ptr<T> held) { this->Held = held; }
	template <class U> TSharedRef(const TSharedRef<U>& other) : TSharedPtr<T>(other) {}
};
template <class T, class... A> TSharedRef<T> MakeShared(A&&... a) { return TSharedRef<T>(std::make_shared<T>(std::forward<A>(a)...)); }
template <class T> struct TSharedFromThis {};

template <class T> struct TArray
{
	std::vector<T> Held;
	void Add(const T& value) { Held.push_back(value); }
	int32 Num() const { return int32(Held.size()); }
	T& operator[](int32 at) { return Held.at(at); }
	void RemoveAt(int32 at, int32 count = 1)
	{
		if (at < 0 || at + count > Num()) { abort(); }
		Held.erase(Held.begin() + at, Held.begin() + at + count);
	}
	void Insert(const TArray& others, int32 at) { Held.insert(Held.begin() + at, others.Held.begin(), others.Held.end()); }
	auto begin() const { return Held.begin(); }
	auto end() const { return Held.end(); }
};
template <class K, class V> struct TMap
{
	std::map<K, V> Held;
	void Add(const K& key, const V& value) { Held[key] = value; }
	const V* Find(const K& key) const { auto found = Held.find(key); return found == Held.end() ? nullptr : &found->second; }
};

enum class EGuidFormats { DigitsWithHyphens };
struct FGuid
{
	static FGuid NewGuid() { return {}; }
	FString ToString(EGuidFormats) const
	{
		static std::random_device dice;
		char text[40];
		snprintf(text, sizeof text, "%08X-%04X-4%03X-8%03X-%04X%08X", dice(), dice() & 0xffff, dice() & 0xfff, dice() & 0xfff, dice() & 0xffff, dice());
		return text;
	}
};
struct FPlatformTime
{
	static double Seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }
};
struct FDateTime
{
	static FDateTime UtcNow() { return {}; }
	FString ToIso8601() const
	{
		timespec now;
		clock_gettime(CLOCK_REALTIME, &now);
		char text[40];
		strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", gmtime(&now.tv_sec));
		return FString::Printf("%s.%03dZ", text, int(now.tv_nsec / 1000000));
	}
};

// JSON: a value is text, or has members or elements.
struct FJsonObject;
struct FJsonValue
{
	std::string Text;
	TSharedPtr<FJsonObject> Object;
	TArray<TSharedPtr<FJsonValue>> Elements;
	enum { Literal, String, Map, List } Kind = Literal;
	const TSharedPtr<FJsonObject>& AsObject() const { return Object; }
	std::string Written() const;
};
struct FJsonObject
{
	std::map<FString, TSharedPtr<FJsonValue>> Values;
	FJsonValue& Set(const FString& name) { auto made = MakeShared<FJsonValue>(); Values[name] = made; return *made.Held; }
	void SetStringField(const FString& name, const FString& text) { auto& value = Set(name); value.Kind = FJsonValue::String; value.Text = text.Text; }
	void SetNumberField(const FString& name, double number) { Set(name).Text = *FString::Printf("%.17g", number); }
	void SetObjectField(const FString& name, const TSharedPtr<FJsonObject>& object) { auto& value = Set(name); value.Kind = FJsonValue::Map; value.Object = object; }
	FString GetStringField(const FString& name) const { return Values.at(name)->Text; }
	int32 GetIntegerField(const FString& name) const { return atoi(Values.at(name)->Text.c_str()); }
	bool TryGetArrayField(const FString& name, const TArray<TSharedPtr<FJsonValue>>*& elements) const
	{
		auto found = Values.find(name);
		if (found == Values.end() || found->second->Kind != FJsonValue::List) { return false; }
		elements = &found->second->Elements;
		return true;
	}
};
struct FJsonValueObject : FJsonValue { explicit FJsonValueObject(const TSharedPtr<FJsonObject>& object) { Kind = Map; Object = object; } };
inline std::string FJsonValue::Written() const
{
	std::string out;
	switch (Kind)
	{
	case Literal: return Text;
	case String: return '"' + Text + '"';
	case List:
		for (auto& each : Elements) { out += (out.empty() ? "" : ",") + each->Written(); }
		return '[' + out + ']';
	default:
		for (auto& [name, value] : Object->Values) { out += (out.empty() ? "\"" : ",\"") + name.Text + "\":" + value->Written(); }
		return '{' + out + '}';
	}
}
template <class = void> struct TJsonWriterFactory { static FString* Create(FString* out) { return out; } };
template <class = void> struct TJsonReaderFactory { static FString Create(const FString& text) { return text; } };
struct FJsonSerializer
{
	static bool Serialize(const TArray<TSharedPtr<FJsonValue>>& values, FString* out)
	{
		FJsonValue list;
		list.Kind = FJsonValue::List;
		list.Elements = values;
		out->Text = list.Written();
		return true;
	}
	static bool Deserialize(const FString& text, TSharedPtr<FJsonObject>& object)
	{
		const char* at = text.Text.c_str();
		auto value = Read(at);
		if (value.Kind != FJsonValue::Map) { return false; }
		object = value.Object;
		return true;
	}
	static FJsonValue Read(const char*& at)
	{
		FJsonValue value;
		Skip(at);
		if (*at == '"')
		{
			value.Kind = FJsonValue::String;
			for (at++; *at && *at != '"'; at++) { value.Text += *at == '\\' ? *++at : *at; }
			at += *at == '"';
		}
		else if (*at == '{' || *at == '[')
		{
			value.Kind = *at == '{' ? FJsonValue::Map : FJsonValue::List;
			value.Object = MakeShared<FJsonObject>();
			for (at++, Skip(at); *at && *at != '}' && *at != ']'; Skip(at))
			{
				const FString name = value.Kind == FJsonValue::Map ? Read(at).Text : "";
				auto element = MakeShared<FJsonValue>(Read(at));
				value.Object->Values[name] = element;
				value.Elements.Add(element);
			}
			at += *at != 0;
		}
		else { while (*at && !strchr(",:]} \n", *at)) { value.Text += *at++; } if (value.Text.empty() && *at) { at++; } }
		return value;
	}
	static void Skip(const char*& at) { while (*at && strchr(",: \n", *at)) { at++; } }
};

// HTTP: a request waits until the ticker ticks, so that its answer comes later, as in the engine.
struct FTickerDelegate
{
	std::function<bool(float)> Call;
	template <class T> static FTickerDelegate CreateSP(T* object, bool (T::*method)(float)) { return {[=](float time) { return (object->*method)(time); }}; }
};
struct FTSTicker
{
	std::vector<FTickerDelegate> Tickers;
	std::vector<std::function<void()>> Later;
	static FTSTicker& GetCoreTicker() { static FTSTicker ticker; return ticker; }
	void AddTicker(FTickerDelegate ticker, float) { Tickers.push_back(ticker); }
	void Tick()
	{
		std::this_thread::sleep_for(std::chrono::milliseconds(5));
		for (auto& ticker : Tickers) { ticker.Call(0.005f); }
		auto works = std::move(Later);
		Later.clear();
		for (auto& work : works) { work(); }
	}
};
struct IHttpResponse
{
	int32 Status = 0;
	std::string Headers, Body;
	int32 GetResponseCode() const { return Status; }
	FString GetContentAsString() const { return Body; }
	FString GetHeader(const FString& name) const
	{
		std::stringstream lines(Headers);
		for (std::string line; std::getline(lines, line);)
		{
			if (strncasecmp(line.c_str(), (name.Text + ":").c_str(), name.Text.size() + 1) == 0) { return line.substr(name.Text.size() + 1); }
		}
		return "";
	}
};
using FHttpResponsePtr = TSharedPtr<IHttpResponse>;
struct IHttpRequest;
using FHttpRequestPtr = TSharedPtr<IHttpRequest>;
struct FHttpRequestCompleteDelegate
{
	std::function<void(FHttpRequestPtr, FHttpResponsePtr, bool)> Call;
	template <class T> void BindSP(T* object, void (T::*method)(FHttpRequestPtr, FHttpResponsePtr, bool))
	{
		Call = [=](FHttpRequestPtr request, FHttpResponsePtr response, bool is_well) { (object->*method)(request, response, is_well); };
	}
};
struct IHttpRequest
{
	std::string Url, Verb, Headers, Body;
	FHttpRequestCompleteDelegate Done;
	void SetURL(const FString& url) { Url = url.Text; }
	void SetVerb(const FString& verb) { Verb = verb.Text; }
	void SetHeader(const FString& name, const FString& value) { Headers += name.Text + ": " + value.Text + "\r\n"; }
	void SetContentAsString(const FString& body) { Body = body.Text; }
	FHttpRequestCompleteDelegate& OnProcessRequestComplete() { return Done; }
	void ProcessRequest()
	{
		FTSTicker::GetCoreTicker().Later.push_back([copy = *this] {
			const auto answer = copy.Ask();
			copy.Done.Call({}, answer, answer.IsValid());
		});
	}
	FHttpResponsePtr Ask() const
	{
		// Such as http://127.0.0.1:8080/v1/events.
		char host[100], path[1000];
		int port = 0;
		if (sscanf(Url.c_str(), "http://%99[^:]:%d%999s", host, &port, path) != 3) { return {}; }
		sockaddr_in address{};
		address.sin_family = AF_INET;
		address.sin_port = htons(uint16_t(port));
		inet_pton(AF_INET, host, &address.sin_addr);
		const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
		std::string text = Verb + " " + path + " HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n" + Headers;
		text += "Content-Length: " + std::to_string(Body.size()) + "\r\n\r\n" + Body;
		std::string answer;
		if (connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 && send(socket, text.data(), text.size(), MSG_NOSIGNAL) == ssize_t(text.size()))
		{
			char piece[4096];
			for (ssize_t size; (size = recv(socket, piece, sizeof piece, 0)) > 0;) { answer.append(piece, size_t(size)); }
		}
		close(socket);
		const auto end = answer.find("\r\n\r\n");
		if (end == std::string::npos) { return {}; }
		auto response = MakeShared<IHttpResponse>();
		response->Status = atoi(answer.c_str() + strlen("HTTP/1.1 "));
		response->Headers = answer.substr(0, end);
		response->Body = answer.substr(end + 4);
		return response;
	}
};
struct FHttpModule
{
	static FHttpModule& Get() { static FHttpModule module; return module; }
	TSharedRef<IHttpRequest> CreateRequest() { return MakeShared<IHttpRequest>(); }
};
