using System.Text.Json;
using Microsoft.AspNetCore.SignalR;

namespace Trunkline.Conformance;

/// <summary>
/// The body of <c>POST /control</c>: <c>send</c> calls <c>message</c> on clients, from outside a
/// hub; <c>add</c> and <c>remove</c> change the members of a group.
/// </summary>
public sealed record Control(
  string Do,
  string Hub,
  JsonElement[]? To,
  JsonElement[]? Args,
  string? ConnectionId,
  string? Group)
{
  public Task Obey(IHubContext hub) => Do switch
  {
    "send" => Destination.Select(hub.Clients, To!).SendCoreAsync("message", [.. Args!]),
    "add" => hub.Groups.AddToGroupAsync(ConnectionId!, Group!),
    "remove" => hub.Groups.RemoveFromGroupAsync(ConnectionId!, Group!),
    _ => throw new ArgumentException($"nobody knows how to {Do}"),
  };
}
