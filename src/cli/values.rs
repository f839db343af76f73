//! Numbers and bytes as users write them.

use std::convert::Infallible;
use std::ffi::OsString;

use synth::elf::program::Type;
use synth::qemu::Value;

/// Bytes to write to linear memory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Poke {
    /// Offset in linear memory.
    pub offset: u32,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// A range of linear memory to print.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Peek {
    /// Offset in linear memory.
    pub offset: u32,
    /// Number of bytes.
    pub length: u32,
}

/// An argument of a type. An integer is decimal or 0x, any value that the type's bits can mean, signed or
/// not; a float is decimal, `inf` or `nan`; a reference is `null`, one of the host's any word.
pub fn parse_argument(text: &str, ty: Type) -> Result<Value, String> {
    match ty {
        Type::I32 | Type::I64 => integer_argument(text, ty),
        Type::ExternRef if text != "null" => {
            integer_argument(text, Type::I32).map(|value| Value::new(ty, value.bits()))
        }
        Type::FuncRef | Type::ExternRef if text == "null" => Ok(Value::new(ty, 0)),
        Type::FuncRef | Type::ExternRef => Err(format!("`{text}` is no reference that can be given: only `null` is")),
        Type::F32 => text.parse().map(|value| Value::F32(f32::to_bits(value))).map_err(|_| no_number(text)),
        Type::F64 => text.parse().map(|value| Value::F64(f64::to_bits(value))).map_err(|_| no_number(text)),
    }
}

fn no_number(text: &str) -> String {
    format!("`{text}` is no number")
}

fn integer_argument(text: &str, ty: Type) -> Result<Value, String> {
    let value = parse_integer(text).ok_or_else(|| format!("`{text}` is no integer"))?;
    let bits = if ty == Type::I32 { 32 } else { 64 };
    match (-(1i128 << (bits - 1))..1i128 << bits).contains(&value) {
        true => Ok(Value::new(ty, value as u64)),
        false => Err(format!("`{text}` does not fit into {}", ty.name())),
    }
}

/// A minus sign that makes no flag of a number.
const MINUS: char = '\u{2212}';

/// A negative number with a minus sign that is no flag to the reader of the command line; anything else as it is.
pub fn plain_negative(argument: OsString) -> OsString {
    let is_number = |text: &&str| parse_integer(text).is_some() || text.parse::<f64>().is_ok();
    let magnitude = argument.to_str().filter(is_number).and_then(|text| text.strip_prefix('-'));
    magnitude.map(|magnitude| format!("{MINUS}{magnitude}").into()).unwrap_or(argument)
}

/// A number with the sign that [`parse_argument`] knows.
pub fn parse_signed(text: &str) -> Result<String, Infallible> {
    Ok(text.replacen(MINUS, "-", 1))
}

/// `ADDR=HEX`.
pub fn parse_poke(text: &str) -> Result<Poke, String> {
    let (offset, digits) = text.split_once('=').ok_or("the form is ADDR=HEX")?;
    let digits = digits.strip_prefix("0x").unwrap_or(digits);
    if digits.len() % 2 != 0 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Err("HEX is an even number of hexadecimal digits".into());
    }
    let pairs = digits.as_bytes().chunks(2);
    let nibble = |digit: u8| char::from(digit).to_digit(16).expect("a hexadecimal digit") as u8;
    let bytes = pairs.map(|pair| nibble(pair[0]) << 4 | nibble(pair[1])).collect();
    Ok(Poke { offset: parse_word(offset)?, bytes })
}

/// `ADDR:LEN`.
pub fn parse_peek(text: &str) -> Result<Peek, String> {
    let (offset, length) = text.split_once(':').ok_or("the form is ADDR:LEN")?;
    Ok(Peek { offset: parse_word(offset)?, length: parse_word(length)? })
}

/// A number of bytes.
pub fn parse_bytes_count(text: &str) -> Result<u32, String> {
    parse_word(text)
}

/// Bytes as hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn parse_word(text: &str) -> Result<u32, String> {
    let value = parse_integer(text).ok_or_else(|| format!("`{text}` is no integer"))?;
    u32::try_from(value).map_err(|_| format!("`{text}` is no 32-bit address or length"))
}

fn parse_integer(text: &str) -> Option<i128> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let (radix, digits) = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(digits) => (16, digits),
        None => (10, digits),
    };
    // `from_str_radix` takes a sign of its own, which must not stand behind the prefix.
    if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let magnitude = i128::from_str_radix(digits, radix).ok()?;
    Some(if negative { -magnitude } else { magnitude })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_signed_or_unsigned() {
        let i32s = |text| parse_argument(text, Type::I32);
        assert_eq!(i32s("-1"), Ok(Value::I32(u32::MAX)));
        assert_eq!(i32s("4294967295"), Ok(Value::I32(u32::MAX)));
        assert_eq!(i32s("0xFFFFFFFF"), Ok(Value::I32(u32::MAX)));
        assert_eq!(i32s("-0x80000000"), Ok(Value::I32(1 << 31)));
        assert!(i32s("4294967296").is_err());
        assert!(i32s("-2147483649").is_err());
        assert_eq!(parse_argument("-9223372036854775808", Type::I64), Ok(Value::I64(1 << 63)));
        assert!(parse_argument("18446744073709551616", Type::I64).is_err());
        for number in ["-0x10", "-1", "-.5", "-1e-3", "-inf", "-NaN", "-9223372036854775809"] {
            let plain = plain_negative(number.into()).into_string().unwrap();
            assert!(!plain.starts_with('-'), "{plain}");
            assert_eq!(parse_signed(&plain), Ok(number.into()));
        }
        for other in ["-0xg", "-0x", "0x10", "-C", "--0x1", "--1", "-", "--", "-O2", "inf"] {
            assert_eq!(plain_negative(other.into()), other);
        }
        for wrong in ["", "-", "0x", "--1", "0x-1", "1.5", "0x1g", "99999999999999999999999999999999999999999"] {
            assert!(parse_argument(wrong, Type::I64).is_err(), "{wrong}");
        }
    }

    #[test]
    fn floats_are_decimal() {
        assert_eq!(parse_argument("-1.5", Type::F32), Ok(Value::F32(0xbfc0_0000)));
        assert_eq!(parse_argument("1e300", Type::F64), Ok(Value::F64(1e300f64.to_bits())));
        assert_eq!(parse_argument("-inf", Type::F32), Ok(Value::F32(0xff80_0000)));
        assert_eq!(parse_argument("nan", Type::F64), Ok(Value::F64(0x7ff8_0000_0000_0000)));
        assert!(parse_argument("1.5.", Type::F64).is_err());
    }

    #[test]
    fn memory_before_and_after() {
        assert_eq!(parse_poke("0x10=00fF"), Ok(Poke { offset: 16, bytes: vec![0, 255] }));
        assert_eq!(parse_peek("16:4"), Ok(Peek { offset: 16, length: 4 }));
        for wrong in ["16", "16=f", "16=0g", "-1=00", "x=00", "16=é0"] {
            assert!(parse_poke(wrong).is_err(), "{wrong}");
        }
        assert_eq!(hex(&[0, 0xab]), "00ab");
    }
}
