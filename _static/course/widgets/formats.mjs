// Los formatos numéricos bit a bit. Es utils/compress/formats.py; tests/mechanisms compara los dos en golden/formats.json.
// Los códigos son números de hasta 32 bits: se parten con divisiones, porque los operadores de bits de JavaScript dan signo.

const roundToEven = (x) => {
  const floor = Math.floor(x);
  const rest = x - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2) ? floor + 1 : floor;
};

// El mayor k con 2^k ≤ x. El logaritmo puede equivocarse en uno junto a una potencia de 2.
const exponentOf = (x) => {
  let k = Math.floor(Math.log2(x));
  while (2 ** k > x) k -= 1;
  while (2 ** (k + 1) <= x) k += 1;
  return k;
};

class NumberFormat {
  get bits() {
    return this.fields.reduce((sum, [, bits]) => sum + bits, 0);
  }

  // El número que hay escrito en cada campo.
  split(code) {
    let rest = code;
    return this.fields.map(([, bits]) => bits).reverse().map((bits) => {
      const value = rest % 2 ** bits;
      rest = (rest - value) / 2 ** bits;
      return value;
    }).reverse();
  }

  // Los bits de cada campo, como textos.
  pattern(code) {
    return this.split(code).map((value, i) => value.toString(2).padStart(this.fields[i][1], "0"));
  }

  // Los valores de al lado, o null donde no hay. NaN no tiene vecinos.
  neighbours(code) {
    if (Number.isNaN(this.decode(code))) return [null, null];
    return [this.at(this.rank(code) - 1), this.at(this.rank(code) + 1)];
  }
}

export class FloatFormat extends NumberFormat {
  constructor(name, exponentBits, mantissaBits, hasInfinity = true) {
    super();
    Object.assign(this, { name, exponentBits, mantissaBits, hasInfinity });
    this.fields = [["signo", 1], ["exponente", exponentBits], ["mantisa", mantissaBits]];
    this.half = 2 ** (exponentBits + mantissaBits); // el peso del bit de signo
    this.bias = 2 ** (exponentBits - 1) - 1;
    this.maxCode = this.half - 1 - (hasInfinity ? 2 ** mantissaBits : 1);
    this.epsilon = 2 ** -mantissaBits;
    this.minNormal = 2 ** (1 - this.bias);
    this.minSubnormal = this.epsilon * this.minNormal;
    this.max = this.decode(this.maxCode);
  }

  encode(value) {
    const sign = value < 0 || Object.is(value, -0) ? this.half : 0;
    const beyond = this.maxCode + (this.hasInfinity ? 1 : 0);
    if (Number.isNaN(value)) return this.half - 1;
    if (!Number.isFinite(value)) return sign + beyond;
    const size = Math.abs(value);
    const exponent = size ? Math.max(exponentOf(size) + this.bias, 1) : 1;
    const steps = roundToEven(size / 2 ** (exponent - this.bias - this.mantissaBits));
    return sign + Math.min((exponent - 1) * 2 ** this.mantissaBits + steps, beyond);
  }

  decode(code) {
    const [sign, exponent, mantissa] = this.split(code);
    let value = 2 ** (exponent - this.bias) * (1 + mantissa * this.epsilon);
    if (exponent === 0) value = mantissa * this.minSubnormal;
    if (code % this.half > this.maxCode) value = this.hasInfinity && mantissa === 0 ? Infinity : NaN;
    return sign ? -value : value;
  }

  rank(code) {
    return code >= this.half ? this.half - code : code;
  }

  at(rank) {
    if (Math.abs(rank) > this.maxCode + (this.hasInfinity ? 1 : 0)) return null;
    const value = this.decode(Math.abs(rank));
    return rank < 0 ? -value : value;
  }
}

export class ScaledFormat extends NumberFormat {
  constructor(name, levels, first = 0, scale = 1) {
    super();
    Object.assign(this, { name, levels, first, scale, fields: [["código", Math.log2(levels.length)]] });
    this.limit = levels.at(-1);
    this.max = scale * this.limit;
  }

  withScale(scale) {
    return new ScaledFormat(this.name, this.levels, this.first, scale);
  }

  // El nivel más cercano; en un empate, el entero par, y si no son enteros, el menor. null si no se puede guardar.
  encode(value) {
    if (Number.isNaN(value)) return null;
    const target = Math.max(-this.limit, Math.min(this.limit, value / this.scale));
    let best = null;
    this.levels.forEach((level, rank) => {
      if (level < -this.limit) return;
      const distance = Math.abs(level - target);
      const odd = ((level % 2) + 2) % 2;
      if (!best || distance < best.distance || (distance === best.distance && odd < best.odd)) best = { rank, distance, odd };
    });
    return (best.rank + this.first) % this.levels.length;
  }

  decode(code) {
    return this.scale * this.levels[this.rank(code)];
  }

  rank(code) {
    return (code - this.first + this.levels.length) % this.levels.length;
  }

  at(rank) {
    return this.levels[rank] >= -this.limit ? this.scale * this.levels[rank] : null;
  }
}

const INTEGERS = Array.from({ length: 256 }, (_, i) => i - 128);
const NORMAL = [
  -1, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635, -0.18477343022823334,
  -0.09105003625154495, 0, 0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224,
  0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1,
];

export const FORMATS = [
  new FloatFormat("FP32", 8, 23),
  new FloatFormat("FP16", 5, 10),
  new FloatFormat("BF16", 8, 7),
  new FloatFormat("FP8 E4M3", 4, 3, false),
  new FloatFormat("FP8 E5M2", 5, 2),
  new ScaledFormat("INT8", INTEGERS, 128),
  new ScaledFormat("NF4", NORMAL),
];
