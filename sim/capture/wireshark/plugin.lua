-- The part that Wireshark sees. It runs behind Wireshark's own dissectors, whose tree and whose decryption of IKEv2 stay as
-- they are, and adds a tree of its own: so it works on every port and with every way of naming the port to Wireshark.
local messageField = Field.new("isakmp")
local decryptedField = Field.new("isakmp.enc.decrypted")
local dialects, fragmented = {}, {}

function proto.init()
  dialects, fragmented = {}, {}
  for line in sessions.linesOf("getvpn_keys") do
    local initiator = line:match('"spiInitiator":"(%x+)"')
    local responder = line:match('"spiResponder":"(%x+)"')
    local dialect = line:match('"dialect":"([%w%-]+)"')
    if initiator and responder then dialects[initiator .. responder] = dialect end
  end
  sessions.reset()
end

-- Draft-yeung and RFC 9838 use one set of payload numbers for GSA and KD; their first octets tell them apart.
local function guessDialect(tvb, first)
  local number, at = first, 0
  while number ~= 0 and at + 4 <= tvb:len() do
    local length = tvb(at + 2, 2):uint()
    if length < 6 or at + length > tvb:len() then break end
    local one, two = tvb(at + 4, 1):uint(), tvb(at + 5, 1):uint()
    if number == GSA then return (one == 1 or ((one == 2 or one == 3) and two == 0)) and "yeung-07" or "rfc9838" end
    if number == KD then return (one == 1 or (one == 0 and two ~= 0)) and "yeung-07" or "rfc9838" end
    number, at = tvb(at, 1):uint(), at + length
  end
  return "rfc9838"
end

local function readerOf(tvb)
  return { tvb = tvb, at = 0, stop = tvb:len() }
end

local function kindsOf(payloads)
  local kinds = {}
  for i, payload in ipairs(payloads) do kinds[i] = payload.kind:gsub("07$", "") end
  return table.concat(kinds, ", ")
end

local function addDialect(tree, dialect)
  tree:add(fields["getvpn.dialect"], dialect):set_text("Dialect: " .. dialect):set_generated()
end

-- Keeps the part that a fragment holds. Returns the first payload and all octets once every part is there, on the packet
-- that made them complete.
local function reassembled(head, first, number, total, plain, pinfo)
  local place = table.concat({ head.spiInitiator, head.spiResponder, head.messageId, head.flags, total }, " ")
  local message = fragmented[place] or { parts = {}, count = 0 }
  fragmented[place] = message
  if not message.parts[number] then
    message.parts[number] = plain:sub(1, -2 - plain:byte(-1))
    message.count = message.count + 1
    if number == 1 then message.first = first end
    if message.count == total then message.completed = pinfo.number end
  end
  if message.completed ~= pinfo.number then return nil end
  return message.first, ByteArray.new(table.concat(message.parts), true):tvb("Reassembled payloads")
end

-- Payload SK or SKF; `decrypted`: what Wireshark made of it.
local function sealedPayload(r, tree, number, head, pinfo, decrypted)
  local start = r.at
  local name = reader.nameOf(sets.rfc9838.numbers, number)
  local item = reader.node(r, tree, "getvpn." .. name:lower(), name .. " payload")
  local first = reader.header(r, item, sets.rfc9838.numbers, false)
  local fragment, fragments = 1, 1
  if name == "SKF" then
    local uint = { form = "uint", width = 2 }
    fragment = reader.read(uint, r, item, "getvpn.skf", "fragment_number", "Fragment number")
    fragments = reader.read(uint, r, item, "getvpn.skf", "total_fragments", "Total fragments")
  end
  local from = r.at
  r.at = r.stop
  item:set_len(r.stop - start)
  if not decrypted then
    reader.leaf(r, item, "getvpn.encrypted", from, "Encrypted data and ICV", (r.at - from) .. " octets")
    return nil
  end
  reader.leaf(r, item, "getvpn.encrypted", from, "Encrypted data and ICV", (r.at - from) .. " octets, decrypted")
  local inner = decrypted:tvb()
  if name == "SKF" then first, inner = reassembled(head, first, fragment, fragments, decrypted:raw(), pinfo) end
  if not inner then return nil end
  local isGroup = head.exchange >= GSA_AUTH and head.exchange <= GSA_INBAND_REKEY
  local dialect = dialects[head.spiInitiator .. head.spiResponder] or guessDialect(inner, first)
  local chain = readerOf(inner)
  local payloads
  reader.attempt(chain, item, function() payloads = reader.chain(chain, first, sets[dialect], item, "getvpn") end)
  if payloads and isGroup then addDialect(item, dialect) end
  return payloads
end

local function ikeMessage(tvb, tree, pinfo, decrypted)
  local r = readerOf(tvb)
  local head = reader.read(formats.ikeHeader, r, tree, "getvpn", "", nil, {}, 0)
  local exchange = reader.nameOf(exchanges.ike, head.exchange)
  tree:append_text((": %s %s, message %d"):format(exchange, bit32.btest(head.flags, 0x20) and "response" or "request", head.messageId))
  local payloads, sealed = reader.chain(r, head.nextPayload, sets.rfc9838, tree, "getvpn")
  if sealed then payloads = sealedPayload(r, tree, sealed, head, pinfo, decrypted) end
  if head.exchange < GSA_AUTH or head.exchange > GSA_INBAND_REKEY then return end
  pinfo.cols.protocol = "G-IKEv2"
  local way = bit32.btest(head.flags, 0x08) and "Initiator" or "Responder"
  local kind = bit32.btest(head.flags, 0x20) and "Response" or "Request"
  local inside = payloads and " [" .. kindsOf(payloads) .. "]" or ""
  pinfo.cols.info = ("%s MID=%d %s %s%s"):format(exchange, head.messageId, way, kind, inside)
end

local function sealedMessage(r, tree, head, set)
  local from = r.at
  r.at = r.stop
  if r.at == from then return nil, set end
  local data = r.tvb(from, r.at - from)
  local opened = sessions.open(head, data:raw())
  local shown = data:len() .. " octets" .. (opened and ", decrypted" or "")
  reader.leaf(r, tree, "getvpn.encrypted", from, "Encrypted payloads", shown)
  if not opened then return nil, set end
  local inner = ByteArray.new(opened.plain, true):tvb("Decrypted by the keys of the run")
  set = opened.isGroup and sets.gdoi or sets.isakmp
  local chain = readerOf(inner)
  local payloads
  reader.attempt(chain, tree, function() payloads = reader.chain(chain, head.nextPayload, set, tree, "getvpn") end)
  if payloads and chain.at < chain.stop then
    local start = chain.at
    chain.at = chain.stop
    reader.leaf(chain, tree, "getvpn.padding", start, "Padding", (chain.stop - start) .. " octets")
  end
  if payloads and opened.isGroup then sessions.learn(payloads) end
  return payloads, set
end

local function isakmpMessage(tvb, tree, pinfo)
  local r = readerOf(tvb)
  local isGroupPort = pinfo.src_port == 848 or pinfo.dst_port == 848
  local isGroup = tvb(18, 1):uint() >= 32 and isGroupPort
  local set = isGroup and sets.gdoi or sets.isakmp
  local headers = isGroup and formats.gdoiHeader or formats.isakmpHeader
  local head = reader.read(headers, r, tree, "getvpn", "", nil, {}, 0)
  local payloads
  if bit32.btest(head.flags, 1) then payloads, set = sealedMessage(r, tree, head, set)
  else
    payloads = reader.chain(r, head.nextPayload, set, tree, "getvpn")
    sessions.observe(head, payloads)
  end
  local exchange = reader.nameOf(set == sets.gdoi and exchanges.gdoi or exchanges.isakmp, head.exchange)
  tree:append_text(": " .. exchange .. (head.messageId == 0 and "" or (", message 0x%08x"):format(head.messageId)))
  if not isGroupPort then return end
  pinfo.cols.protocol = "GDOI"
  if set ~= sets.gdoi then return end
  pinfo.cols.info = ("%s MID=%08x%s"):format(exchange, head.messageId, payloads and " [" .. kindsOf(payloads) .. "]" or "")
end

-- Some put the four zero octets that tell IKE from ESP in front of it on ports where there is no ESP to be told from.
local function behindMarker(range)
  if range:len() < 32 or range(0, 4):uint() ~= 0 then return range end
  local inner = range(4)
  local version = inner(17, 1):uint()
  local isIke = inner(24, 4):uint() == inner:len() and (version >= 16 and version < 48)
  return isIke and inner or range
end

function proto.dissector(_, pinfo, tree)
  local plains = { decryptedField() }
  for i, message in ipairs({ messageField() }) do
    local range = behindMarker(message.range)
    if range:len() >= 28 then
      local tvb = range:tvb()
      local root = tree:add(proto, range)
      local act = tvb(17, 1):uint() >= 32 and ikeMessage or isakmpMessage
      local plain = plains[i] and plains[i].range
      reader.attempt(nil, root, function() act(tvb, root, pinfo, plain) end)
    end
  end
end

register_postdissector(proto)

-- The port of GDOI and G-IKEv2, for configuration folders without a line that says so.
DissectorTable.get("udp.port"):add(848, Dissector.get("isakmp"))
