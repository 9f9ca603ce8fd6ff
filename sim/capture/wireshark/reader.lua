-- Reads octets by the formats of the declarations: what the field trees of the project's own inspector show, leaf by leaf.
-- A reader is { tvb, at, stop }; a problem of the octets is an error whose value is a table.
local forms = {}

local function fail(text, ...)
  error({ problem = text:format(...) }, 0)
end

local function need(r, count)
  if r.at + count > r.stop then fail("%d octets expected, %d are there", count, r.stop - r.at) end
end

local function uint(r, width)
  need(r, width)
  local value = r.tvb(r.at, width):uint()
  r.at = r.at + width
  return value
end

local function join(parent, key)
  return key == "" and parent or parent .. "." .. key
end

local function nameOf(names, number)
  return names and (names[number] or "unknown(" .. number .. ")")
end

local function numberText(names, number)
  return names and nameOf(names, number) .. " (" .. number .. ")" or tostring(number)
end

local function hexOf(range)
  return tostring(range:bytes()):lower()
end

local function octetsText(range)
  if range:len() <= 32 then return hexOf(range) end
  return hexOf(range:range(0, 32)) .. "... (" .. range:len() .. " octets)"
end

local function fieldOf(abbreviation)
  return fields[abbreviation] or error("no field " .. abbreviation)
end

-- The octets from `from` up to where the reader stands.
local function leaf(r, tree, abbreviation, from, label, text, value)
  if r.at == from then return end
  local range = r.tvb(from, r.at - from)
  local item
  if value == nil then item = tree:add(fieldOf(abbreviation), range)
  else item = tree:add(fieldOf(abbreviation), range, value) end
  item:set_text(label .. ": " .. text)
end

local function node(r, tree, abbreviation, label)
  local item
  if r.stop > r.at then item = tree:add(fieldOf(abbreviation), r.tvb(r.at, r.stop - r.at))
  else item = tree:add(fieldOf(abbreviation)) end
  item:set_text(label)
  return item
end

local function leave(r, item, start, label, text)
  if r.at > start then item:set_len(r.at - start) end
  item:set_text(text == "" and label or label .. ": " .. text)
end

-- Reads one format. `key` names it below `parent` in field names; without a label it describes the open node.
local function read(format, r, tree, parent, key, label, scope, start)
  return forms[format.form](format, r, tree, parent, key, label, scope, start)
end

function forms.uint(format, r, tree, parent, key, label)
  local from = r.at
  local value = uint(r, format.width)
  local text = format.isHex and ("0x%0" .. 2 * format.width .. "x"):format(value) or numberText(format.names, value)
  leaf(r, tree, join(parent, key), from, label, text, value)
  return value
end

function forms.bytes(format, r, tree, parent, key, label, scope)
  local from = r.at
  local count = format.count or (format.from and scope[format.from]) or r.stop - r.at
  need(r, count)
  r.at = r.at + count
  if count == 0 then return "" end
  local range = r.tvb(from, count)
  local name = format.octetNames and format.octetNames[hexOf(range)]
  leaf(r, tree, join(parent, key), from, label, octetsText(range) .. (name and ", " .. name or ""))
  return hexOf(range)
end

function forms.address(format, r, tree, parent, key, label)
  local from = r.at
  need(r, format.size)
  r.at = r.at + format.size
  local range = r.tvb(from, format.size)
  local text = tostring(format.size == 4 and range:ipv4() or range:ipv6())
  leaf(r, tree, join(parent, key) .. (format.size == 16 and "6" or ""), from, label, text)
  return text
end

function forms.reserved(format, r, tree, _, _, label)
  local from = r.at
  need(r, format.count)
  r.at = r.at + format.count
  local found = hexOf(r.tvb(from, format.count))
  leaf(r, tree, "getvpn.reserved", from, label, found:find("[^0]") and found .. " (ignored)" or "0")
end

function forms.length(format, r, tree, parent, key, label, _, start)
  local from = r.at
  local length = uint(r, format.width)
  leaf(r, tree, join(parent, key), from, label, tostring(length), length)
  if start + length < r.at or start + length > r.stop then
    fail("length %d does not fit (%d octets are there)", length, r.stop - start)
  end
  r.stop = start + length
end

function forms.size(format, r, tree, parent, key, label, scope)
  local from = r.at
  local size = uint(r, format.width)
  leaf(r, tree, join(parent, key), from, label, tostring(size), size)
  scope["#" .. format.of] = size
end

function forms.marker(format, r, tree, parent, key, label)
  local from = r.at
  local value = uint(r, 1)
  local text = value == 0 and "last (0)" or value == format.more and "more (" .. value .. ")" or tostring(value)
  leaf(r, tree, join(parent, key), from, label, text, value)
  if value ~= 0 and value ~= format.more then fail("chain marker %d", value) end
end

local function rangeText(a, b)
  return a == b and tostring(a) or a .. "-" .. b
end

local summaries = {
  ["Traffic selector"] = function(value)
    if value.startAddress == nil then return "" end
    local protocol = value.ipProtocol == 0 and "" or " proto " .. value.ipProtocol
    local isAny = value.startPort == 0 and value.endPort == 65535
    local ports = isAny and "" or " port " .. rangeText(value.startPort, value.endPort)
    return rangeText(value.startAddress, value.endAddress) .. protocol .. ports
  end,
  Transform = function(value)
    if value.type == nil then return tostring(value.number) end
    local bits = value["@KEY_LENGTH"]
    local id = nameOf(transformIds[value.type], value.id) or tostring(value.id)
    return nameOf(transformTypes, value.type) .. " " .. id .. (bits and " " .. bits .. " bits" or "")
  end,
}

-- The names of what the struct holds, and its SPI.
local function summaryOf(format, value)
  if summaries[format.title] then return summaries[format.title](value) end
  local parts = {}
  for _, field in ipairs(format.fields) do
    local names = field.format.names
    if names and value[field.key] then parts[#parts + 1] = nameOf(names, value[field.key]) end
    if field.key == "spi" and value.spi ~= "" then
      parts[#parts + 1] = "SPI " .. (type(value.spi) == "number" and ("0x%08x"):format(value.spi) or value.spi)
    elseif field.key == "data" and #value.data <= 64 then
      parts[#parts + 1] = value.data
    end
  end
  return table.concat(parts, ", ")
end

function forms.struct(format, r, tree, parent, key, label)
  local start, stop = r.at, r.stop
  local path = join(parent, key)
  local item = label and node(r, tree, path, label) or tree
  local value = {}
  for _, field in ipairs(format.fields) do
    local found = read(field.format, r, item, path, field.slug, field.label, value, start)
    if found ~= nil then value[field.key] = found end
  end
  if r.stop ~= stop then
    if r.at ~= r.stop then fail("%d octets left in %s", r.stop - r.at, format.title) end
    r.stop = stop
  end
  if label then leave(r, item, start, label, summaryOf(format, value)) end
  return value
end

function forms.list(format, r, tree, parent, _, _, scope)
  local above = parent
  local count = format.count and scope[format.count]
  local values = {}
  local function one()
    local before = r.at
    values[#values + 1] = read(format.item, r, tree, above, format.slug, format.title, scope, r.at)
    if r.at == before then fail("empty %s", format.title) end
  end
  if format.isEven then
    local stop, size = r.stop, count == 0 and 0 or (r.stop - r.at) / count
    if count == 0 and r.at < stop or size % 1 ~= 0 then fail("%d of %s in %d octets", count, format.title, stop - r.at) end
    for _ = 1, count do
      r.stop = r.at + size
      one()
      r.stop = stop
    end
  elseif format.isChain then
    local goesOn = r.at < r.stop and count ~= 0
    while goesOn do
      need(r, 1)
      goesOn = r.tvb(r.at, 1):uint() ~= 0
      one()
    end
    if count and count ~= #values then fail("%d of %s announced, %d found", count, format.title, #values) end
  elseif count then
    for _ = 1, count do one() end
  else
    while r.at < r.stop do one() end
  end
  return values
end

function forms.choice(format, r, tree, parent, key, label, scope, start)
  local by = format.by and scope[format.by]
  if not format.by then
    need(r, 1)
    by = r.tvb(r.at, 1):uint()
  end
  return read(format.table[by] or format.other, r, tree, parent, key, label, scope, start)
end

local function longValue(known, isFit, r, tree, parent, scope)
  local from = r.at
  local length = uint(r, 2)
  leaf(r, tree, "getvpn.attribute.length", from, "Length", tostring(length), length)
  need(r, length)
  from = r.at
  if isFit and known.value ~= "either" then
    local stop = r.stop
    r.stop = r.at + length
    local value = read(known.value, r, tree, parent, known.key, "Value", scope, r.at)
    if r.at < r.stop then fail("octets left in %s", known.kind) end
    r.stop = stop
    return value
  end
  r.at = r.at + length
  if length == 0 then return nil end
  local range = r.tvb(from, length)
  local isNumber = known and known.value == "either" and length <= 4
  local abbreviation = isNumber and join(parent, known.key) or "getvpn.attribute.value"
  leaf(r, tree, abbreviation, from, "Value", hexOf(range), isNumber and range:uint() or nil)
  return isNumber and range:uint() or hexOf(range)
end

-- Values are left in the scope under "@KIND".
function forms.attributes(format, r, tree, parent, _, _, scope)
  while r.at < r.stop do
    local start = r.at
    local head = uint(r, 2)
    local number, isShort = head % 0x8000, head >= 0x8000
    local known = format.table[number]
    local isFit = known ~= nil and (known.value == "either" or (known.value == "tv") == isShort)
    local label = known and known.kind or "unknown(" .. number .. ")"
    r.at = start
    local item = node(r, tree, "getvpn.attribute", label)
    r.at = start + 2
    leaf(r, item, "getvpn.attribute.type", start, "Type", ("%s (%d), %s"):format(label, number, isShort and "TV" or "TLV"), number)
    local value
    if isShort then
      value = uint(r, 2)
      local abbreviation = isFit and join(parent, known.key) or "getvpn.attribute.value"
      local text = numberText(known and known.names, value)
      leaf(r, item, abbreviation, start + 2, "Value", text, isFit and value or nil)
    else
      value = longValue(known, isFit, r, item, parent, scope)
    end
    scope["@" .. label] = value
    local shown = type(value) == "number" and numberText(known and known.names, value) or ""
    leave(r, item, start, label, shown)
  end
end

-- The four octets in front of every payload.
local function payloadHeader(r, tree, numbers, isIsakmp)
  local start = r.at
  need(r, 4)
  local next, second, length = uint(r, 1), uint(r, 1), uint(r, 2)
  local stand = r.at
  r.at = start + 1
  leaf(r, tree, "getvpn.next_payload", start, "Next payload", numberText(numbers, next), next)
  r.at = start + 2
  if isIsakmp then leaf(r, tree, "getvpn.reserved", start + 1, "Reserved", tostring(second))
  else
    local isCritical = second >= 128
    leaf(r, tree, "getvpn.critical", start + 1, "Critical and reserved", isCritical and "critical" or "not critical", second)
  end
  r.at = stand
  leaf(r, tree, "getvpn.payload_length", start + 2, "Payload length", tostring(length), length)
  if isIsakmp and second ~= 0 then fail("reserved octet %d", second) end
  if length < 4 or start + length > r.stop then
    fail("payload length %d, %d octets are there", length, r.stop - start)
  end
  return next, length
end

-- Runs `act`; a problem of the octets is noted below `tree`, and true is returned where there was none.
local function attempt(r, tree, act)
  local isFine, found = pcall(act)
  if isFine then return true end
  if type(found) ~= "table" or found.problem == nil then error(found, 0) end
  tree:add(fieldOf("getvpn.problem"), found.problem):set_generated()
  return false
end

-- The chain that begins with payload `first`. Returns { kind, body } each, and where the chain stops before an
-- encrypted payload its number.
local function chain(r, first, set, tree, parent)
  local payloads, number = {}, first
  while number ~= 0 do
    if set.isSealed[number] then return payloads, number end
    if #payloads >= 128 then fail("more than 128 payloads") end
    local start, stop = r.at, r.stop
    local name = nameOf(set.numbers, number)
    local body = set.bodies[number]
    local key = body and body.key or "payload"
    local item = node(r, tree, body and join(parent, key) or "getvpn.payload", name .. " payload")
    local next, length = payloadHeader(r, item, set.numbers, set.isIsakmp)
    r.stop = start + length
    local payload = { kind = body and body.kind or "unknown" }
    attempt(r, item, function()
      if body then
        payload.body = read(body.format, r, item, parent, key, nil, {}, r.at)
        if r.at < r.stop then fail("%d octets after the last field", r.stop - r.at) end
      elseif r.at < r.stop then
        local from = r.at
        r.at = r.stop
        leaf(r, item, "getvpn.data", from, "Data", octetsText(r.tvb(from, r.at - from)))
      end
    end)
    r.at = start + length
    item:set_len(length)
    local summary = body and body.format.form == "struct" and payload.body and summaryOf(body.format, payload.body) or ""
    if summary ~= "" then item:append_text(": " .. summary) end
    r.stop = stop
    payloads[#payloads + 1] = payload
    number = next
  end
  return payloads
end

function forms.payloads(format, r, tree, parent)
  local from = r.at
  local first = uint(r, 2)
  leaf(r, tree, join(parent, "next_policy"), from, format.title, numberText(format.set.numbers, first), first)
  forms.reserved({ count = 2 }, r, tree, "", "", "Reserved")
  return (chain(r, first, format.set, tree, parent))
end

return {
  read = read, chain = chain, attempt = attempt, leaf = leaf, node = node, header = payloadHeader,
  nameOf = nameOf, hexOf = hexOf,
}
