//! GPT-2's printable alphabet: one Unicode character for each of the 256 byte values.
//!
//! Vocabulary files are JSON and so cannot hold arbitrary bytes. GPT-2 (`bytes_to_unicode` in its `encoder.py`) writes each
//! printable Latin-1 byte as itself and the other 68 as U+0100, U+0101, ... in order of their value.

/// Whether a byte is written as the character of the same code.
const fn is_printable(byte: u32) -> bool {
    matches!(byte, 0x21..=0x7E | 0xA1..=0xAC | 0xAE..=0xFF)
}

const TO_CHAR: [char; 256] = {
    let mut table = ['\0'; 256];
    let (mut byte, mut next) = (0, 0x100);
    while byte < 256 {
        let code = if is_printable(byte) {
            byte
        } else {
            next += 1;
            next - 1
        };
        table[byte as usize] = match char::from_u32(code) {
            Some(c) => c,
            None => unreachable!(),
        };
        byte += 1;
    }
    table
};

const TO_BYTE: [Option<u8>; 0x144] = {
    let mut table = [None; 0x144];
    let mut byte = 0;
    while byte < 256 {
        table[TO_CHAR[byte] as usize] = Some(byte as u8);
        byte += 1;
    }
    table
};

/// The character that stands for `byte`.
pub(super) fn char_of(byte: u8) -> char {
    TO_CHAR[byte as usize]
}

/// Bytes as they are written in a vocabulary file.
pub(super) fn write(bytes: &[u8]) -> String {
    bytes.iter().map(|&b| char_of(b)).collect()
}

/// The bytes a vocabulary entry stands for; `None` if it holds a character outside the alphabet.
pub(super) fn read(entry: &str) -> Option<Vec<u8>> {
    entry.chars().map(|c| TO_BYTE.get(c as usize).copied().flatten()).collect()
}

/// The 256 byte values in the order of their characters, which is how HF's trainer and GPT-2 number them.
pub(super) fn bytes_by_char() -> impl Iterator<Item = u8> {
    TO_BYTE.iter().copied().flatten()
}
