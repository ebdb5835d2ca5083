//! Random bytes from the TPM through libtbs, without crates:
//!
//!     rustc -O libtbs.rs && ./libtbs [COUNT]
//!
//! A command that takes longer than its time-out is cancelled, on the TPM as well.

use std::convert::TryInto;
use std::error::Error;
use std::ffi::{c_void, CStr};
use std::fmt;
use std::os::raw::c_char;
use std::ptr::null_mut;
use std::time::Duration;

/// What is used of tbs.h and tbsx.h, with the types that they have there.
mod ffi {
    use super::{c_char, c_void};

    pub const SUCCESS: u32 = 0;
    pub const CONTEXT_VERSION_TWO: u32 = 2;
    pub const INCLUDE_TPM20: u32 = 0x4; // in asUINT32 of TBS_CONTEXT_PARAMS2
    pub const LOCALITY_ZERO: u32 = 0;
    pub const PRIORITY_NORMAL: u32 = 200;

    #[repr(C)]
    pub struct ContextParams2 {
        pub version: u32,
        pub flags: u32,
    }

    #[repr(C)]
    #[derive(Default)]
    pub struct ContextInfo {
        pub number: u64,
        pub max_command: u32,
        pub max_response: u32,
    }

    #[link(name = "tbs")]
    extern "C" {
        pub fn Tbsi_Context_Create(params: *const ContextParams2, context: *mut *mut c_void)
            -> u32;
        pub fn Tbsip_Context_Close(context: *mut c_void) -> u32;
        pub fn Tbsx_Get_Context_Info(context: *mut c_void, info: *mut ContextInfo) -> u32;
        pub fn Tbsx_Submit_Timeout(
            context: *mut c_void,
            locality: u32,
            priority: u32,
            command: *const u8,
            command_size: u32,
            response: *mut u8,
            response_size: *mut u32,
            milliseconds: i32,
        ) -> u32;
        pub fn Tbsx_Result_Name(result: u32) -> *const c_char;
        pub fn Tbsx_Result_Text(result: u32) -> *const c_char;
    }
}

/// A code of tbs.h or tbsx.h.
#[derive(Debug)]
struct TbsError(u32);

impl fmt::Display for TbsError {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Both are constants that end with a zero byte, whatever the number.
        let (text, name) = unsafe {
            (
                CStr::from_ptr(ffi::Tbsx_Result_Text(self.0)),
                CStr::from_ptr(ffi::Tbsx_Result_Name(self.0)),
            )
        };
        write!(
            to,
            "{} ({})",
            text.to_string_lossy(),
            name.to_string_lossy()
        )
    }
}

impl Error for TbsError {}

fn check(code: u32) -> Result<(), TbsError> {
    match code {
        ffi::SUCCESS => Ok(()),
        code => Err(TbsError(code)),
    }
}

/// A TBS context: to its program a TPM of its own. What it owns is gone with it.
struct Tpm {
    handle: *mut c_void,
    largest: u32,
}

// Every function of libtbs may be called from any thread.
unsafe impl Send for Tpm {}
unsafe impl Sync for Tpm {}

impl Tpm {
    fn open() -> Result<Tpm, TbsError> {
        let params = ffi::ContextParams2 {
            version: ffi::CONTEXT_VERSION_TWO,
            flags: ffi::INCLUDE_TPM20,
        };
        let mut tpm = Tpm {
            handle: null_mut(),
            largest: 0,
        };
        check(unsafe { ffi::Tbsi_Context_Create(&params, &mut tpm.handle) })?;
        let mut info = ffi::ContextInfo::default();
        check(unsafe { ffi::Tbsx_Get_Context_Info(tpm.handle, &mut info) })?;
        tpm.largest = info.max_response;
        Ok(tpm)
    }

    /// Runs one command. Its time-out ends what other threads have outstanding on this context, too.
    fn submit(&self, command: &[u8], timeout: Duration) -> Result<Vec<u8>, Box<dyn Error>> {
        let mut response = vec![0; self.largest as usize];
        let mut size = self.largest;
        check(unsafe {
            ffi::Tbsx_Submit_Timeout(
                self.handle,
                ffi::LOCALITY_ZERO,
                ffi::PRIORITY_NORMAL,
                command.as_ptr(),
                command.len().try_into()?,
                response.as_mut_ptr(),
                &mut size,
                timeout.as_millis().try_into()?,
            )
        })?;
        response.truncate(size as usize);
        match u32::from_be_bytes(response[6..10].try_into()?) {
            0 => Ok(response),
            code => Err(format!("the TPM refused; tbsctl explain {:#x} says why", code).into()),
        }
    }
}

impl Drop for Tpm {
    fn drop(&mut self) {
        if !self.handle.is_null() {
            unsafe { ffi::Tbsip_Context_Close(self.handle) };
        }
    }
}

fn get_random(tpm: &Tpm, count: usize) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut data = Vec::new();
    while data.len() < count {
        let wanted = (count - data.len()).min(32) as u8;
        let command = [0x80, 0x01, 0, 0, 0, 12, 0, 0, 0x01, 0x7B, 0, wanted];
        let response = tpm.submit(&command, Duration::from_secs(10))?;
        match response.get(12..) {
            Some(bytes) if !bytes.is_empty() => data.extend(bytes),
            _ => return Err("the TPM gave no bytes".into()),
        }
    }
    Ok(data)
}

fn run() -> Result<(), Box<dyn Error>> {
    let count = std::env::args()
        .nth(1)
        .map_or(Ok(16), |count| count.parse())?;
    let tpm = Tpm::open()?;
    let hex: String = get_random(&tpm, count)?
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
