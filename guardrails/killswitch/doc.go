// Package killswitch carries out a kill: it turns a flag off in somebody else's
// system and finds out whether that worked.
//
// One engine serves every flag system:
//
//	look ──off──▶ already_off
//	  │ on, or cannot be read
//	  ▼
//	send ──refused──▶ denied, not_found, pending_approval
//	  │ ▲  └──accepted──▶ confirm ──reads off──▶ applied
//	  │ │ still on: try again        └──deadline──▶ unknown (accepted, not verified)
//	  ▼ │
//	doubt: no answer or a fault. Read back first, the call may have been applied
//
// It sets off and never toggles, so that doing it twice does no harm. An answer
// of 2xx is only a claim; the state that is read back afterwards decides. What
// differs between systems (the calls, the meaning of their answers) is a
// Vendor, one file each. A vendor does nothing itself: it plans steps, each a call
// and what its answer leads to, and the engine takes them. A file is read and
// replaced by such calls as well.
//
// Nothing here decides, keeps a journal or tells anybody: the caller writes down
// the decision before it calls Off and the Outcome afterwards.
package killswitch
