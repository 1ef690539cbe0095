-- Health of Waybill's resources for Argo CD, one script for all kinds. Argo CD runs it without Lua's libraries.
local status = obj.status or {}
local found = {}
for _, condition in ipairs(status.conditions or {}) do
  found[condition.type] = condition
end

local function is(name)
  return found[name] ~= nil and found[name].status == "True"
end

local function says(health, name)
  return { status = health, message = found[name].message }
end

-- Replays and Discards: how they have ended counts, whatever changed afterwards.
if is("Complete") then
  return says("Healthy", "Complete")
end
if is("Failed") then
  return says("Degraded", "Failed")
end

if status.observedGeneration ~= obj.metadata.generation then
  return { status = "Progressing", message = "Waybill has not seen the latest change yet" }
end
if is("Stalled") then
  return says("Degraded", "Stalled")
end

local ready = found["Ready"]
if ready == nil then
  -- A Replay or a Discard that has not ended.
  if is("Suspended") then
    return says("Suspended", "Suspended")
  end
  if found["Progressing"] ~= nil then
    return says("Progressing", "Progressing")
  end
  return { status = "Progressing", message = "Waybill has said nothing of it yet" }
end
if ready.reason == "Suspended" then
  return says("Suspended", "Ready")
end
if ready.status == "True" then
  return says("Healthy", "Ready")
end
if ready.reason == "NotWatched" then
  return says("Degraded", "Ready")
end

-- What is still on its way where everything is applied at once, in any order.
local coming = {
  Pending = true,
  NotResolved = true,
  RefNotPermitted = true,
  SecretInvalid = true,
  NoConsumer = true,
  SubscriberNotFound = true,
}
for _, name in ipairs({ "Accepted", "ResolvedRefs", "Programmed", "Delivering" }) do
  local cause = found[name]
  if cause ~= nil and cause.status ~= "True" then
    return says(coming[cause.reason] and "Progressing" or "Degraded", name)
  end
end
return says("Progressing", "Ready")
