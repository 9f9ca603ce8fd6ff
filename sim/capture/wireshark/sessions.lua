-- Decrypts IKEv1 and GDOI messages in the order of a capture. The table of keys names a cookie and a key; the cipher, the
-- hash and both public values are read from the messages in clear that open a phase 1, and every further IV follows from
-- the messages before. A GROUPKEY-PULL that opens hands over the keys of the rekey SA, which open each GROUPKEY-PUSH.
local sessions, rekeys, policies, seen = {}, {}, {}, {}

local function fromHex(text)
  return (text:gsub("%x%x", function(pair) return string.char(tonumber(pair, 16)) end))
end

local function linesOf(name)
  local path = persconffile_path(name)
  local file = path and io.open(path, "r")
  if not file then return function() return nil end end
  local lines = {}
  for line in file:lines() do lines[#lines + 1] = line end
  file:close()
  local at = 0
  return function()
    at = at + 1
    return lines[at]
  end
end

-- key: octets of key, those of triple DES 24. Numbers of the registry "IKE Encryption Algorithm".
local function cipherOf(number, keyBits)
  if number == 7 and keyBits then return { open = ciphers.aesCbc, key = keyBits / 8, block = 16 } end
  if number == 5 then return { open = ciphers.desCbc, key = 24, block = 8 } end
  if number == 1 then return { open = ciphers.desCbc, key = 8, block = 8 } end
end

-- KEK algorithms in those numbers.
local KEK_CIPHERS = { [1] = 1, [2] = 5, [3] = 7 }

-- material: the IV, then the key.
local function addRekey(spi, algorithm, material)
  local cipher = cipherOf(KEK_CIPHERS[algorithm], 8 * (#material - 16))
  if not cipher or #material ~= cipher.block + cipher.key then return end
  rekeys[spi] = { cipher = cipher, iv = material:sub(1, cipher.block), key = material:sub(cipher.block + 1) }
end

-- Forgets all messages and reads the tables anew: called for every file.
local function reset()
  sessions, rekeys, policies, seen = {}, {}, {}, {}
  for line in linesOf("ikev1_decryption_table") do
    local cookie, key = line:match('^%s*"?0?x?(%x+)"?%s*,%s*"?0?x?(%x+)"?')
    if cookie and #cookie == 16 and #key % 2 == 0 then
      sessions[cookie:lower()] = { key = fromHex(key), publics = {}, ivs = {} }
    end
  end
  for line in linesOf("getvpn_keys") do
    local spi, algorithm = line:match('"spi":"(%x+)"'), line:match('"algorithm":(%d+)')
    local key = line:match('"encrKey":"(%x+)"')
    if line:find('"kind":"gdoi"', 1, true) and spi and algorithm and key then
      addRekey(spi, tonumber(algorithm), fromHex(key))
    end
  end
end

-- What a message in clear tells: the chosen transform, and the public value.
local function observe(head, payloads)
  local session = sessions[head.cookieInitiator]
  if not session then return end
  for _, payload in ipairs(payloads) do
    local body = payload.body
    if payload.kind == "SA" and body and head.cookieResponder:find("[^0]") then
      local proposal = body.proposals and body.proposals[1]
      local chosen = proposal and proposal.transforms[1]
      if chosen then
        session.doi = body.doi
        session.hash = ciphers.hash[chosen["@HASH"]]
        session.cipher = cipherOf(chosen["@ENCRYPTION"], chosen["@KEY_LENGTH"])
      end
    elseif payload.kind == "KE" and body then
      local isNew = true
      for _, known in ipairs(session.publics) do isNew = isNew and known ~= body.data end
      if isNew and #session.publics < 2 then table.insert(session.publics, body.data) end
    end
  end
end

-- The reserved octet and the length of the first payload: what a wrong key gets wrong.
local function isPlausible(plain)
  if #plain < 4 then return false end
  local _, reserved, high, low = plain:byte(1, 4)
  local length = high * 256 + low
  return reserved == 0 and length >= 4 and length <= #plain
end

local function openWith(session, head, data)
  local cipher, hash = session.cipher, session.hash
  if not cipher or not hash or #session.publics < 2 or #session.key ~= cipher.key then return nil end
  if #data == 0 or #data % cipher.block ~= 0 then return nil end
  local function ivFrom(text) return hash(text):sub(1, cipher.block) end
  session.last = session.last or ivFrom(fromHex(session.publics[1]) .. fromHex(session.publics[2]))
  local iv = session.ivs[head.messageId]
  if not iv then
    iv = head.messageId == 0 and session.last or ivFrom(session.last .. ciphers.word(head.messageId))
  end
  local plain = cipher.open(session.key, iv, data)
  if isPlausible(plain) then
    local block = data:sub(-cipher.block)
    session.ivs[head.messageId] = block
    if head.messageId == 0 then session.last = block end
  end
  return { plain = plain, isGroup = head.messageId ~= 0 and session.doi == 2 }
end

-- Every PUSH under a KEK begins with the KEK's own IV. RFC 6407 section 5.6.2.1.
local function openPush(rekey, head, data)
  if head.exchange ~= 33 or #data == 0 or #data % rekey.cipher.block ~= 0 then return nil end
  return { plain = rekey.cipher.open(rekey.key, rekey.iv, data), isGroup = true }
end

-- What is inside of an encrypted message, { plain, isGroup }; nil where no key is held. A message that was seen before
-- opens as it did then: Wireshark dissects a packet again whenever somebody looks at it.
local function open(head, data)
  local place = head.cookieInitiator .. " " .. head.messageId .. " " .. #data .. " " .. data:sub(-32)
  if seen[place] then return seen[place] end
  local rekey = rekeys[head.cookieInitiator .. head.cookieResponder]
  local session = sessions[head.cookieInitiator]
  local opened
  if rekey then opened = openPush(rekey, head, data)
  elseif session then opened = openWith(session, head, data) end
  seen[place] = opened
  return opened
end

-- IV and key of a KEK packet, or of an LKH packet: the last key of a download.
local function kekOf(packet)
  if packet.type == 2 then return packet["@KEK_ALGORITHM_KEY"] end
  local download = packet.type == 3 and packet["@LKH_DOWNLOAD_ARRAY"]
  local last = download and download.keys[#download.keys]
  return last and last.data
end

-- Remembers the rekey SAs that decrypted payloads hand out.
local function learn(payloads)
  for _, payload in ipairs(payloads) do
    if payload.kind == "GSA" and payload.body then
      for _, policy in ipairs(payload.body.policies or {}) do
        if policy.kind == "SAK" and policy.body then policies[policy.body.spi] = policy.body end
      end
    end
  end
  for _, payload in ipairs(payloads) do
    for _, packet in ipairs(payload.kind == "KD" and payload.body and payload.body.packets or {}) do
      local policy, material = policies[packet.spi], kekOf(packet)
      if policy and material then
        addRekey(packet.spi, policy["@KEK_ALGORITHM"], fromHex(material))
      end
    end
  end
end

return { reset = reset, observe = observe, open = open, learn = learn, linesOf = linesOf }
