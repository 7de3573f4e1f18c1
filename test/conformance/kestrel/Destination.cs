using System.Text.Json;
using Microsoft.AspNetCore.SignalR;

namespace Trunkline.Conformance;

/// <summary>
/// Whom to send to, in JSON: a selector and its arguments, as <c>["group","red"]</c>.
/// </summary>
public static class Destination
{
  /// <summary>Finds the selector's proxy, inside a hub or outside.</summary>
  public static IClientProxy Select(IHubClients<IClientProxy> clients, JsonElement[] to) =>
    to[0].GetString() switch
    {
      "all" => clients.All,
      "allExcept" => clients.AllExcept(Names(to[1])),
      "client" => clients.Client(Name(to[1])),
      "clients" => clients.Clients(Names(to[1])),
      "group" => clients.Group(Name(to[1])),
      "groupExcept" => clients.GroupExcept(Name(to[1]), Names(to[2])),
      "groups" => clients.Groups(Names(to[1])),
      "user" => clients.User(Name(to[1])),
      "users" => clients.Users(Names(to[1])),
      "caller" => ((IHubCallerClients)clients).Caller,
      "others" => ((IHubCallerClients)clients).Others,
      "othersInGroup" => ((IHubCallerClients)clients).OthersInGroup(Name(to[1])),
      var selector => throw new ArgumentException($"there is no selector {selector}"),
    };

  private static string Name(JsonElement name) => name.GetString()!;

  private static string[] Names(JsonElement names) => names.Deserialize<string[]>()!;
}
