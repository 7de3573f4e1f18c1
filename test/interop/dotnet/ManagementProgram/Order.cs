using System.Text.Json;
using Microsoft.AspNetCore.SignalR;
using Microsoft.Azure.SignalR.Management;
using Trunkline.Conformance;

namespace Trunkline.Interop;

/// <summary>The body of <c>POST /manage</c>: what to do, and those members that it is about.</summary>
public sealed record Order(
  string Do,
  JsonElement[]? To,
  string? Text,
  string? ConnectionId,
  string? UserId,
  string? Group)
{
  /// <summary>The answer to a question; <c>true</c> for what has been done.</summary>
  public async Task<bool> Obey(ServiceHubContext hub)
  {
    switch (Do)
    {
      case "send":
        await Destination.Select(hub.Clients, To!).SendAsync("message", Text);
        return true;
      case "add":
        await hub.Groups.AddToGroupAsync(ConnectionId!, Group!);
        return true;
      case "remove":
        await hub.Groups.RemoveFromGroupAsync(ConnectionId!, Group!);
        return true;
      case "removeFromAll":
        await hub.Groups.RemoveFromAllGroupsAsync(ConnectionId!);
        return true;
      case "addUser":
        await hub.UserGroups.AddToGroupAsync(UserId!, Group!);
        return true;
      case "removeUser":
        await hub.UserGroups.RemoveFromGroupAsync(UserId!, Group!);
        return true;
      case "close":
        await hub.ClientManager.CloseConnectionAsync(ConnectionId!, Text);
        return true;
      case "isUserInGroup":
        return await hub.UserGroups.IsUserInGroup(UserId!, Group!);
      case "connectionExists":
        return await hub.ClientManager.ConnectionExistsAsync(ConnectionId!);
      case "userExists":
        return await hub.ClientManager.UserExistsAsync(UserId!);
      case "groupExists":
        return await hub.ClientManager.GroupExistsAsync(Group!);
      default:
        throw new ArgumentException($"nobody knows how to {Do}");
    }
  }
}
