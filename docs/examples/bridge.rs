//! Random bytes from the TPM over a bridge, in Rust alone. With `tbsctl bridge ./tpm.sock` running:
//!
//!     rustc -O bridge.rs && ./bridge ./tpm.sock [COUNT]
//!
//! A bridge on a port is host:port; the service tbs-bridge@raw has /run/tbs-bridge/raw.sock.

use std::convert::TryInto;
use std::error::Error;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::time::Duration;

const NO_SESSIONS: u16 = 0x8001;
const CC_GET_RANDOM: u32 = 0x0000_017B;
const HEADER_SIZE: usize = 10;
const LARGEST: usize = 64 * 1024;

trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

/// A connection to the bridge: a context of its own. The handles that it gets are known to it alone. A command
/// whose connection is closed is cancelled.
struct Tpm {
    stream: Box<dyn Stream>,
}

impl Tpm {
    fn connect(address: &str, timeout: Duration) -> std::io::Result<Tpm> {
        let stream: Box<dyn Stream> = if address.contains('/') {
            let unix = UnixStream::connect(address)?;
            unix.set_read_timeout(Some(timeout))?;
            Box::new(unix)
        } else {
            let tcp = TcpStream::connect(address)?;
            tcp.set_read_timeout(Some(timeout))?;
            tcp.set_nodelay(true)?;
            Box::new(tcp)
        };
        Ok(Tpm { stream })
    }

    /// Sends one command; the response, whose header names its size.
    fn submit(&mut self, command: &[u8]) -> Result<Vec<u8>, Box<dyn Error>> {
        self.stream.write_all(command)?;
        let mut response = vec![0; HEADER_SIZE];
        self.stream.read_exact(&mut response)?;
        let size = u32::from_be_bytes(response[2..6].try_into()?) as usize;
        if !(HEADER_SIZE..=LARGEST).contains(&size) {
            return Err(format!("a response of {} bytes makes no sense", size).into());
        }
        response.resize(size, 0);
        self.stream.read_exact(&mut response[HEADER_SIZE..])?;
        match u32::from_be_bytes(response[6..10].try_into()?) {
            0 => Ok(response),
            code => Err(format!("the TPM refused; tbsctl explain {:#x} says why", code).into()),
        }
    }
}

fn get_random(tpm: &mut Tpm, count: usize) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut data = Vec::new();
    while data.len() < count {
        let wanted = (count - data.len()).min(32) as u16;
        let mut command = Vec::new();
        command.extend(NO_SESSIONS.to_be_bytes());
        command.extend((HEADER_SIZE as u32 + 2).to_be_bytes());
        command.extend(CC_GET_RANDOM.to_be_bytes());
        command.extend(wanted.to_be_bytes());
        let response = tpm.submit(&command)?;
        match response.get(HEADER_SIZE + 2..) {
            Some(bytes) if !bytes.is_empty() => data.extend(bytes),
            _ => return Err("the TPM gave no bytes".into()),
        }
    }
    Ok(data)
}

fn run() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let address = arguments
        .get(1)
        .ok_or("say where the bridge listens: bridge ADDRESS [COUNT]")?;
    let count = arguments.get(2).map_or(Ok(16), |count| count.parse())?;
    let mut tpm = Tpm::connect(address, Duration::from_secs(10))?;
    let hex: String = get_random(&mut tpm, count)?
        .iter()
        .map(|byte| format!("{:02x}", byte))
        .collect();
    println!("{}", hex);
    Ok(())
}

fn main() {
    if let Err(error) = run() {
        eprintln!("{}", error);
        std::process::exit(1);
    }
}
