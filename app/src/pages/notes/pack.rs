//! A folder as one file: a zip without compression, which is what the import of notes reads.

use std::num::TryFromIntError;

/// Names are UTF-8.
const UTF8: u16 = 1 << 11;
/// 1 January 1980: the import does not look at it.
const DATE: u16 = 0x21;
const TABLE: [u32; 256] = table();

#[derive(Default)]
pub struct Pack {
    bytes: Vec<u8>,
    /// The list at the end, which says where each file is.
    list: Vec<u8>,
    count: u16,
}

impl Pack {
    /// Adds a file; an error where a zip of the plain kind cannot hold it.
    pub fn add(&mut self, path: &str, content: &[u8]) -> Result<(), TryFromIntError> {
        let at = u32::try_from(self.bytes.len())?;
        let size = u32::try_from(content.len())?;
        let name = u16::try_from(path.len())?;
        let count = u16::try_from(usize::from(self.count) + 1)?;
        let mut head = Vec::with_capacity(26);
        for short in [20, UTF8, 0, 0, DATE] {
            head.extend(u16::to_le_bytes(short));
        }
        for long in [crc32(content), size, size] {
            head.extend(u32::to_le_bytes(long));
        }
        head.extend(name.to_le_bytes());
        head.extend(0_u16.to_le_bytes());
        self.bytes.extend(b"PK\x03\x04");
        self.bytes.extend(&head);
        self.bytes.extend(path.as_bytes());
        self.bytes.extend(content);
        self.list.extend(b"PK\x01\x02\x14\x00");
        self.list.extend(&head);
        self.list.extend([0; 10]);
        self.list.extend(at.to_le_bytes());
        self.list.extend(path.as_bytes());
        self.count = count;
        Ok(())
    }

    pub fn size(&self) -> usize {
        self.bytes.len()
    }

    pub fn finish(mut self) -> Result<Vec<u8>, TryFromIntError> {
        let (at, size) = (u32::try_from(self.bytes.len())?, u32::try_from(self.list.len())?);
        self.bytes.append(&mut self.list);
        self.bytes.extend(b"PK\x05\x06\0\0\0\0");
        self.bytes.extend(self.count.to_le_bytes());
        self.bytes.extend(self.count.to_le_bytes());
        self.bytes.extend(size.to_le_bytes());
        self.bytes.extend(at.to_le_bytes());
        self.bytes.extend([0; 2]);
        Ok(self.bytes)
    }
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| TABLE[((crc ^ u32::from(*byte)) & 0xff) as usize] ^ (crc >> 8))
}

const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut at = 0;
    while at < 256 {
        let mut value = at as u32;
        let mut bit = 0;
        while bit < 8 {
            value = if value & 1 == 1 { 0xedb8_8320 ^ (value >> 1) } else { value >> 1 };
            bit += 1;
        }
        table[at] = value;
        at += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_zip() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(crc32(b""), 0);
    }

    #[test]
    fn each_file_is_where_the_list_says() {
        let mut pack = Pack::default();
        pack.add("Vault/Ü.md", b"one").unwrap();
        let second = pack.size();
        pack.add("b.md", b"").unwrap();
        let list = pack.size();
        let bytes = pack.finish().unwrap();
        assert_eq!(&bytes[second..second + 4], b"PK\x03\x04");
        assert_eq!(&bytes[list..list + 4], b"PK\x01\x02");
        let end = bytes.len() - 22;
        assert_eq!(&bytes[end..end + 4], b"PK\x05\x06");
        assert_eq!(bytes[end + 16..end + 20], u32::try_from(list).unwrap().to_le_bytes());
        assert_eq!(bytes[end - 8..end - 4], u32::try_from(second).unwrap().to_le_bytes());
    }
}
