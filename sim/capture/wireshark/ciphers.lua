-- Ciphers and hashes of IKEv1 over strings of octets. Lua in Wireshark 4.0 comes without any, and Wireshark itself
-- decrypts no phase 1 of DOI 2 and no GROUPKEY-PUSH. Captures hold a few hundred such messages, so speed is no matter.
local band, bor, bxor, bnot = bit32.band, bit32.bor, bit32.bxor, bit32.bnot
local shl, shr, ror = bit32.lshift, bit32.rshift, bit32.rrotate

local function word(text, at)
  local a, b, c, d = text:byte(at, at + 3)
  return ((a * 256 + b) * 256 + c) * 256 + d
end

local function octets(value)
  return string.char(shr(value, 24), band(shr(value, 16), 255), band(shr(value, 8), 255), band(value, 255))
end

local function xorText(a, b)
  local out = {}
  for i = 1, #a do out[i] = string.char(bxor(a:byte(i), b:byte(i))) end
  return table.concat(out)
end

-- What every hash of the MD family puts behind the message.
local function padded(text, block, bigEndian)
  local zeros = (block - 9 - #text) % block
  if block == 128 then zeros = (block - 17 - #text) % block + 8 end
  local length = octets(#text * 8)
  local tail = bigEndian and "\0\0\0\0" .. length or length:reverse() .. "\0\0\0\0"
  return text .. "\128" .. ("\0"):rep(zeros) .. tail
end

-- RFC 1321.
local function md5(text)
  local turns = { 7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21 }
  local h = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476 }
  local data = padded(text, 64, false)
  for at = 1, #data, 64 do
    local a, b, c, d = h[1], h[2], h[3], h[4]
    for i = 0, 63 do
      local f, g
      if i < 16 then f, g = bor(band(b, c), band(bnot(b), d)), i
      elseif i < 32 then f, g = bor(band(d, b), band(bnot(d), c)), (5 * i + 1) % 16
      elseif i < 48 then f, g = bxor(b, c, d), (3 * i + 5) % 16
      else f, g = bxor(c, bor(b, bnot(d))), (7 * i) % 16 end
      local m = word(data:sub(at + 4 * g, at + 4 * g + 3):reverse(), 1)
      local sum = a + f + m + math.floor(math.abs(math.sin(i + 1)) * 4294967296)
      local turn = turns[4 * math.floor(i / 16) + i % 4 + 1]
      a, d, c, b = d, c, b, band(b + bit32.lrotate(band(sum, 0xffffffff), turn), 0xffffffff)
    end
    h = { band(h[1] + a, 0xffffffff), band(h[2] + b, 0xffffffff), band(h[3] + c, 0xffffffff), band(h[4] + d, 0xffffffff) }
  end
  return (octets(h[1]):reverse() .. octets(h[2]):reverse() .. octets(h[3]):reverse() .. octets(h[4]):reverse())
end

-- FIPS 180-4.
local function sha1(text)
  local h = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0 }
  local data = padded(text, 64, true)
  for at = 1, #data, 64 do
    local w = {}
    for i = 0, 15 do w[i] = word(data, at + 4 * i) end
    for i = 16, 79 do w[i] = bit32.lrotate(bxor(w[i - 3], w[i - 8], w[i - 14], w[i - 16]), 1) end
    local a, b, c, d, e = h[1], h[2], h[3], h[4], h[5]
    for i = 0, 79 do
      local f, k
      if i < 20 then f, k = bor(band(b, c), band(bnot(b), d)), 0x5a827999
      elseif i < 40 then f, k = bxor(b, c, d), 0x6ed9eba1
      elseif i < 60 then f, k = bor(band(b, c), band(b, d), band(c, d)), 0x8f1bbcdc
      else f, k = bxor(b, c, d), 0xca62c1d6 end
      local sum = band(bit32.lrotate(a, 5) + f + e + k + w[i], 0xffffffff)
      a, b, c, d, e = sum, a, ror(b, 2), c, d
    end
    local new = { a, b, c, d, e }
    for i = 1, 5 do h[i] = band(h[i] + new[i], 0xffffffff) end
  end
  local out = {}
  for i = 1, 5 do out[i] = octets(h[i]) end
  return table.concat(out)
end

-- The upper words of the constants of SHA-512 are those of SHA-256.
local function sha256(text)
  local h = {}
  for i = 1, 8 do h[i] = constants.sha512[i][1] end
  local data = padded(text, 64, true)
  for at = 1, #data, 64 do
    local w = {}
    for i = 0, 15 do w[i] = word(data, at + 4 * i) end
    for i = 16, 63 do
      local x, y = w[i - 15], w[i - 2]
      local s0 = bxor(ror(x, 7), ror(x, 18), shr(x, 3))
      local s1 = bxor(ror(y, 17), ror(y, 19), shr(y, 10))
      w[i] = band(w[i - 16] + s0 + w[i - 7] + s1, 0xffffffff)
    end
    local a, b, c, d, e, f, g, z = table.unpack(h)
    for i = 0, 63 do
      local s1 = bxor(ror(e, 6), ror(e, 11), ror(e, 25))
      local t1 = z + s1 + bxor(band(e, f), band(bnot(e), g)) + constants.rounds[i + 1][1] + w[i]
      local s0 = bxor(ror(a, 2), ror(a, 13), ror(a, 22))
      local t2 = s0 + bxor(band(a, b), band(a, c), band(b, c))
      z, g, f, e, d, c, b, a = g, f, e, band(d + t1, 0xffffffff), c, b, a, band(t1 + t2, 0xffffffff)
    end
    local new = { a, b, c, d, e, f, g, z }
    for i = 1, 8 do h[i] = band(h[i] + new[i], 0xffffffff) end
  end
  local out = {}
  for i = 1, 8 do out[i] = octets(h[i]) end
  return table.concat(out)
end

-- 64-bit words as pairs { upper, lower }.
local function add64(...)
  local hi, lo = 0, 0
  for _, pair in ipairs({ ... }) do hi, lo = hi + pair[1], lo + pair[2] end
  return { band(hi + math.floor(lo / 4294967296), 0xffffffff), band(lo, 0xffffffff) }
end

local function turn64(x, n)
  local hi, lo = x[1], x[2]
  if n >= 32 then hi, lo, n = lo, hi, n - 32 end
  if n == 0 then return { hi, lo } end
  return { bor(shr(hi, n), shl(lo, 32 - n)), bor(shr(lo, n), shl(hi, 32 - n)) }
end

local function drop64(x, n)
  return { shr(x[1], n), bor(shr(x[2], n), shl(x[1], 32 - n)) }
end

local function with64(how, ...)
  local his, los = {}, {}
  for i, pair in ipairs({ ... }) do his[i], los[i] = pair[1], pair[2] end
  return { how(table.unpack(his)), how(table.unpack(los)) }
end

local function choose(e, f, g) return bxor(band(e, f), band(bnot(e), g)) end
local function majority(a, b, c) return bxor(band(a, b), band(a, c), band(b, c)) end

local function sha512(text, start, words)
  local h = {}
  for i = 1, 8 do h[i] = start[i] end
  local data = padded(text, 128, true)
  for at = 1, #data, 128 do
    local w = {}
    for i = 0, 15 do w[i] = { word(data, at + 8 * i), word(data, at + 8 * i + 4) } end
    for i = 16, 79 do
      local x, y = w[i - 15], w[i - 2]
      local s0 = with64(bxor, turn64(x, 1), turn64(x, 8), drop64(x, 7))
      local s1 = with64(bxor, turn64(y, 19), turn64(y, 61), drop64(y, 6))
      w[i] = add64(w[i - 16], s0, w[i - 7], s1)
    end
    local a, b, c, d, e, f, g, z = table.unpack(h)
    for i = 0, 79 do
      local s1 = with64(bxor, turn64(e, 14), turn64(e, 18), turn64(e, 41))
      local t1 = add64(z, s1, with64(choose, e, f, g), constants.rounds[i + 1], w[i])
      local s0 = with64(bxor, turn64(a, 28), turn64(a, 34), turn64(a, 39))
      local t2 = add64(s0, with64(majority, a, b, c))
      z, g, f, e, d, c, b, a = g, f, e, add64(d, t1), c, b, a, add64(t1, t2)
    end
    local new = { a, b, c, d, e, f, g, z }
    for i = 1, 8 do h[i] = add64(h[i], new[i]) end
  end
  local out = {}
  for i = 1, words do out[i] = octets(h[i][1]) .. octets(h[i][2]) end
  return table.concat(out)
end

-- FIPS 197: the inverse cipher, octet by octet.
local sbox, inverse = {}, {}
local function double(x) return x < 128 and 2 * x or bxor(2 * x, 0x11b) end
local products = { [9] = {}, [11] = {}, [13] = {}, [14] = {} }
do
  local p, q = 1, 1
  repeat
    p = bxor(p, double(p))
    q = bxor(q, shl(q, 1))
    q = bxor(q, shl(q, 2))
    q = band(bxor(q, shl(q, 4)), 255)
    if q >= 128 then q = bxor(q, 9) end
    local x = band(bxor(q, shl(q, 1), shl(q, 2), shl(q, 3), shl(q, 4)), 255)
    x = bxor(x, shr(q, 7), shr(q, 6), shr(q, 5), shr(q, 4))
    sbox[p] = bxor(x, 0x63)
  until p == 1
  sbox[0] = 0x63
  for i = 0, 255 do
    inverse[sbox[i]] = i
    local two = double(i)
    local four = double(two)
    local eight = double(four)
    products[9][i], products[11][i] = bxor(eight, i), bxor(eight, two, i)
    products[13][i], products[14][i] = bxor(eight, four, i), bxor(eight, four, two)
  end
end

local function aesKeys(key)
  local size, words = #key / 4, {}
  for i = 0, size - 1 do words[i] = { key:byte(4 * i + 1, 4 * i + 4) } end
  local round = 1
  for i = size, 4 * (size + 7) - 1 do
    local t = words[i - 1]
    if i % size == 0 then
      t = { bxor(sbox[t[2]], round), sbox[t[3]], sbox[t[4]], sbox[t[1]] }
      round = double(round)
    elseif size > 6 and i % size == 4 then
      t = { sbox[t[1]], sbox[t[2]], sbox[t[3]], sbox[t[4]] }
    end
    local before = words[i - size]
    words[i] = { bxor(before[1], t[1]), bxor(before[2], t[2]), bxor(before[3], t[3]), bxor(before[4], t[4]) }
  end
  return words, size + 6
end

local function aesBlock(words, rounds, block)
  local s = { block:byte(1, 16) }
  local function addKey(round)
    for i = 0, 15 do s[i + 1] = bxor(s[i + 1], words[4 * round + math.floor(i / 4)][i % 4 + 1]) end
  end
  addKey(rounds)
  for round = rounds - 1, 0, -1 do
    local t = {}
    for i = 0, 15 do t[(i + 4 * (i % 4)) % 16 + 1] = inverse[s[i + 1]] end
    s = t
    addKey(round)
    if round > 0 then
      for c = 1, 13, 4 do
        local a, b, d, e = s[c], s[c + 1], s[c + 2], s[c + 3]
        local m9, m11, m13, m14 = products[9], products[11], products[13], products[14]
        s[c] = bxor(m14[a], m11[b], m13[d], m9[e])
        s[c + 1] = bxor(m9[a], m14[b], m11[d], m13[e])
        s[c + 2] = bxor(m13[a], m9[b], m14[d], m11[e])
        s[c + 3] = bxor(m11[a], m13[b], m9[d], m14[e])
      end
    end
  end
  return string.char(table.unpack(s))
end

-- FIPS 46-3 over lists of bits.
local function bitsOf(text)
  local bits = {}
  for i = 1, #text do
    for shift = 7, 0, -1 do bits[#bits + 1] = band(shr(text:byte(i), shift), 1) end
  end
  return bits
end

local function picked(bits, places)
  local out = {}
  for i, place in ipairs(places) do out[i] = bits[place] end
  return out
end

local function desKeys(key)
  local bits = picked(bitsOf(key), constants.des.PC1)
  local keys = {}
  for round, shift in ipairs(constants.des.SHIFTS) do
    local turned = {}
    for i = 0, 27 do
      turned[i + 1] = bits[(i + shift) % 28 + 1]
      turned[i + 29] = bits[(i + shift) % 28 + 29]
    end
    bits = turned
    keys[round] = picked(bits, constants.des.PC2)
  end
  return keys
end

local function desRounds(keys, block, backwards)
  local bits = picked(block, constants.des.IP)
  local left, right = {}, {}
  for i = 1, 32 do left[i], right[i] = bits[i], bits[i + 32] end
  for round = 1, 16 do
    local key = keys[backwards and 17 - round or round]
    local mixed = {}
    for box = 0, 7 do
      local value = 0
      for i = 0, 5 do value = 2 * value + bxor(right[(4 * box + i - 1) % 32 + 1], key[6 * box + i + 1]) end
      local place = 16 * (band(shr(value, 4), 2) + value % 2) + band(shr(value, 1), 15)
      local found = tonumber(constants.des.BOXES[box + 1]:sub(place + 1, place + 1), 16)
      for i = 0, 3 do mixed[4 * box + i + 1] = band(shr(found, 3 - i), 1) end
    end
    mixed = picked(mixed, constants.des.P)
    local new = {}
    for i = 1, 32 do new[i] = bxor(left[i], mixed[i]) end
    left, right = right, new
  end
  local out = {}
  for i = 1, 32 do right[i + 32] = left[i] end
  for i, place in ipairs(constants.des.IP) do out[place] = right[i] end
  return out
end

local function desBlock(keys, block)
  local bits = bitsOf(block)
  for i = #keys, 1, -1 do bits = desRounds(keys[i], bits, i ~= 2) end
  local out = {}
  for i = 0, 7 do
    local value = 0
    for j = 1, 8 do value = 2 * value + bits[8 * i + j] end
    out[i + 1] = string.char(value)
  end
  return table.concat(out)
end

local function cbc(block, iv, data, open)
  local out = {}
  for at = 1, #data, block do
    local piece = data:sub(at, at + block - 1)
    out[#out + 1] = xorText(open(piece), iv)
    iv = piece
  end
  return table.concat(out)
end

return {
  -- By numbers of the registry "IKE Hash Algorithm".
  hash = {
    [1] = md5,
    [2] = sha1,
    [4] = sha256,
    [5] = function(text) return sha512(text, constants.sha384, 6) end,
    [6] = function(text) return sha512(text, constants.sha512, 8) end,
  },
  -- key: 16, 24 or 32 octets.
  aesCbc = function(key, iv, data)
    local words, rounds = aesKeys(key)
    return cbc(16, iv, data, function(block) return aesBlock(words, rounds, block) end)
  end,
  -- key: 8 octets, or 24 for triple DES.
  desCbc = function(key, iv, data)
    local keys = {}
    for at = 1, #key, 8 do keys[#keys + 1] = desKeys(key:sub(at, at + 7)) end
    return cbc(8, iv, data, function(block) return desBlock(keys, block) end)
  end,
  word = octets,
}
