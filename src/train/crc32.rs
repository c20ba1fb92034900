//! The checksum that zip archives and saved runs carry.

/// CRC-32 as in zip, PNG and Ethernet, eight bytes at a time (Kounavis and Berry 2005), of bytes that come in pieces.
#[derive(Debug)]
pub struct Crc32 {
    tables: Box<[[u32; 256]; 8]>,
    state: u32,
}

impl Default for Crc32 {
    fn default() -> Self {
        // Made when needed: 8 KiB of tables would not compress in the page's module.
        let mut tables = Box::new([[0u32; 256]; 8]);
        for (i, entry) in tables[0].iter_mut().enumerate() {
            *entry = (0..8).fold(i as u32, |c, _| if c & 1 == 1 { 0xEDB8_8320 ^ (c >> 1) } else { c >> 1 });
        }
        let first = tables[0];
        for k in 1..8 {
            tables[k] = tables[k - 1].map(|c| first[(c & 0xFF) as usize] ^ (c >> 8));
        }
        Self { tables, state: u32::MAX }
    }
}

impl Crc32 {
    /// The checksum of bytes that are all there.
    pub fn of(data: &[u8]) -> u32 {
        let mut crc = Crc32::default();
        crc.update(data);
        crc.sum()
    }

    /// Takes the next piece.
    pub fn update(&mut self, data: &[u8]) {
        let tables = &self.tables;
        let mut crc = self.state;
        let (chunks, rest) = data.as_chunks::<8>();
        for &[a, b, c, d, e, f, g, h] in chunks {
            let low = crc ^ u32::from_le_bytes([a, b, c, d]);
            crc = tables[7][(low & 0xFF) as usize]
                ^ tables[6][(low >> 8 & 0xFF) as usize]
                ^ tables[5][(low >> 16 & 0xFF) as usize]
                ^ tables[4][(low >> 24) as usize]
                ^ tables[3][e as usize]
                ^ tables[2][f as usize]
                ^ tables[1][g as usize]
                ^ tables[0][h as usize];
        }
        self.state = rest.iter().fold(crc, |crc, &b| tables[0][((crc ^ u32::from(b)) & 0xFF) as usize] ^ (crc >> 8));
    }

    /// The checksum of all that came.
    pub fn sum(&self) -> u32 {
        !self.state
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crc_of_every_length() {
        // The check value that the catalogues of CRCs give.
        assert_eq!(Crc32::of(b"123456789"), 0xCBF4_3926);
        let data: Vec<u8> = (0..40u8).map(|i| i.wrapping_mul(37)).collect();
        for n in 0..data.len() {
            let bitwise = !data[..n].iter().fold(u32::MAX, |crc, &b| {
                (0..8).fold(crc ^ u32::from(b), |c, _| if c & 1 == 1 { 0xEDB8_8320 ^ (c >> 1) } else { c >> 1 })
            });
            assert_eq!(Crc32::of(&data[..n]), bitwise, "{n} bytes");
            let mut crc = Crc32::default();
            data[..n].chunks(7).for_each(|piece| crc.update(piece));
            assert_eq!(crc.sum(), bitwise, "{n} bytes in pieces");
        }
    }
}
