//! Passwords that PAM checks, with the feature `pam`.
#![expect(unsafe_code, reason = "libpam speaks C; this is all of it that we need")]

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::ptr;

use remon_core::engine::Level;
use remon_core::text;

use super::logging::log;

const PAM_SUCCESS: c_int = 0;
const PAM_BUF_ERR: c_int = 5;
const PAM_CONV_ERR: c_int = 19;
const PAM_PROMPT_ECHO_OFF: c_int = 1;
const PAM_PROMPT_ECHO_ON: c_int = 2;

/// A question of a PAM module.
#[repr(C)]
struct Message {
    style: c_int,
    text: *const c_char,
}

/// Its answer. PAM frees the text, and the array of answers, with free().
#[repr(C)]
struct Response {
    text: *mut c_char,
    code: c_int,
}

#[repr(C)]
struct Conversation {
    answer: extern "C" fn(c_int, *const *const Message, *mut *mut Response, *mut c_void) -> c_int,
    data: *mut c_void,
}

/// A transaction; only PAM looks inside.
#[repr(C)]
struct Handle {
    _private: [u8; 0],
}

#[link(name = "pam")]
unsafe extern "C" {
    fn pam_start(
        service: *const c_char,
        user: *const c_char,
        conversation: *const Conversation,
        handle: *mut *mut Handle,
    ) -> c_int;
    fn pam_authenticate(handle: *mut Handle, flags: c_int) -> c_int;
    fn pam_acct_mgmt(handle: *mut Handle, flags: c_int) -> c_int;
    fn pam_end(handle: *mut Handle, status: c_int) -> c_int;
    fn pam_strerror(handle: *mut Handle, status: c_int) -> *const c_char;
}

/// What modules are told, whatever they ask.
struct Credentials {
    user: CString,
    password: CString,
}

/// Whether PAM lets that user in: the password is right, and the account may be used.
///
/// A wrong password takes seconds, which PAM adds on purpose.
pub(super) fn accepts(service: &str, user: &str, password: &str) -> bool {
    let c_string = |text: &str| CString::new(text::encode(text).into_owned());
    let (Ok(service), Ok(user), Ok(password)) = (c_string(service), c_string(user), c_string(password))
    else {
        return false;
    };
    let mut credentials = Credentials { user, password };
    let refusal = ask(&service, &mut credentials);
    if let Some(reason) = &refusal {
        log(Level::Warning, &format!("PAM service {}: {reason}", service.to_string_lossy()));
    }
    refusal.is_none()
}

/// Why not; `None` where all is well.
fn ask(service: &CStr, credentials: &mut Credentials) -> Option<String> {
    let conversation = Conversation { answer, data: ptr::from_mut(credentials).cast() };
    let mut handle = ptr::null_mut();
    // SAFETY: the strings end in NUL, and they, the conversation and its data outlive the transaction, which ends
    // below. The handle is null until PAM has set it.
    unsafe {
        let started = pam_start(service.as_ptr(), credentials.user.as_ptr(), &conversation, &mut handle);
        if started != PAM_SUCCESS || handle.is_null() {
            return Some(format!("it cannot be used: error {started}"));
        }
        let mut step = "password";
        let mut status = pam_authenticate(handle, 0);
        if status == PAM_SUCCESS {
            step = "account";
            status = pam_acct_mgmt(handle, 0);
        }
        let refusal = (status != PAM_SUCCESS).then(|| format!("{step} refused: {}", reason(handle, status)));
        pam_end(handle, status);
        refusal
    }
}

/// # Safety
/// The handle must be that of a transaction which has not ended.
unsafe fn reason(handle: *mut Handle, status: c_int) -> String {
    // SAFETY: the handle is good, as the caller promises; the text lives at least as long.
    let text = unsafe { pam_strerror(handle, status) };
    if text.is_null() {
        return format!("error {status}");
    }
    // SAFETY: not null, so it is a string of libpam's.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}

/// Called by PAM modules: a visible question is answered by the name, a hidden one by the password.
extern "C" fn answer(
    count: c_int,
    messages: *const *const Message,
    answers: *mut *mut Response,
    data: *mut c_void,
) -> c_int {
    let Some(count) = usize::try_from(count).ok().filter(|&count| count > 0) else { return PAM_CONV_ERR };
    // SAFETY: `data` is the credentials that `ask` borrows mutably for as long as the transaction lasts.
    let credentials = unsafe { &*data.cast::<Credentials>() };
    // SAFETY: calloc takes numbers; the zeroed array is as large as PAM expects.
    let array = unsafe { libc::calloc(count, size_of::<Response>()) }.cast::<Response>();
    if array.is_null() {
        return PAM_BUF_ERR;
    }
    for index in 0..count {
        // SAFETY: PAM hands over `count` pointers to messages, and the array has as many places.
        unsafe {
            let text = match (**messages.add(index)).style {
                PAM_PROMPT_ECHO_OFF => libc::strdup(credentials.password.as_ptr()),
                PAM_PROMPT_ECHO_ON => libc::strdup(credentials.user.as_ptr()),
                _ => ptr::null_mut(),
            };
            (*array.add(index)).text = text;
        }
    }
    // SAFETY: PAM waits for the array there, and frees it.
    unsafe { *answers = array };
    PAM_SUCCESS
}
